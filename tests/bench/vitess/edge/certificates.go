package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"flag"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// The certificates a server can show. Ghost is given ca.pem; "unknown-ca" is
// signed by an authority whose certificate is thrown away.
var certificateNames = []string{"good", "expired", "wrong-host", "self-signed", "unknown-ca"}

type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// makeCertificates is `edge certificates --dir DIR`. What is there stays while it
// is good for a day: a year is long, but a kept directory can be older.
func makeCertificates(args []string) error {
	fs := flag.NewFlagSet("certificates", flag.ContinueOnError)
	dir := fs.String("dir", "", "where to write them")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *dir == "" {
		return fmt.Errorf("--dir is missing")
	}
	if lasts(*dir, 24*time.Hour) {
		return nil
	}
	if err := os.MkdirAll(*dir, 0o755); err != nil {
		return err
	}
	known, err := newAuthority("Test bench CA")
	if err != nil {
		return err
	}
	unknown, err := newAuthority("Somebody else's CA")
	if err != nil {
		return err
	}
	if err := writePEM(filepath.Join(*dir, "ca.pem"), 0o644, "CERTIFICATE", known.certificate.Raw); err != nil {
		return err
	}
	for i, name := range certificateNames {
		t := serverTemplate(int64(i) + 2)
		signer := known
		switch name {
		case "expired":
			t.NotBefore, t.NotAfter = time.Now().AddDate(-1, 0, 0), time.Now().AddDate(0, 0, -1)
		case "wrong-host":
			t.Subject.CommonName = "elsewhere.example"
			t.DNSNames, t.IPAddresses = []string{"elsewhere.example"}, nil
		case "self-signed":
			signer = nil
		case "unknown-ca":
			signer = unknown
		}
		if err := issue(*dir, name, t, signer); err != nil {
			return err
		}
	}
	return nil
}

func lasts(dir string, while time.Duration) bool {
	for _, name := range certificateNames {
		pair, err := tls.LoadX509KeyPair(filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key"))
		if err != nil {
			return false
		}
		if name == "good" && time.Now().Add(while).After(pair.Leaf.NotAfter) {
			return false
		}
	}
	return true
}

func newAuthority(name string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, err
	}
	c, err := x509.ParseCertificate(der)
	return &authority{c, key}, err
}

func serverTemplate(serial int64) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "localhost"},
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
}

// issue writes NAME.pem and NAME.key; without a signer it signs itself.
func issue(dir, name string, t *x509.Certificate, signer *authority) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	if signer == nil {
		signer = &authority{t, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, signer.certificate, key.Public(), signer.key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := writePEM(filepath.Join(dir, name+".pem"), 0o644, "CERTIFICATE", der); err != nil {
		return err
	}
	return writePEM(filepath.Join(dir, name+".key"), 0o640, "PRIVATE KEY", private)
}

func writePEM(file string, mode os.FileMode, kind string, der []byte) error {
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode)
}

// certificates holds them all, so that a running edge can change over.
type certificates struct {
	mu     sync.Mutex
	chosen string
	loaded map[string]*tls.Certificate
}

func openCertificates(dir, first string) (*certificates, error) {
	store := &certificates{loaded: map[string]*tls.Certificate{}}
	for _, name := range certificateNames {
		base := filepath.Join(dir, name)
		pair, err := tls.LoadX509KeyPair(base+".pem", base+".key")
		if err != nil {
			return nil, err
		}
		store.loaded[name] = &pair
	}
	return store, store.choose(first)
}

func (s *certificates) choose(name string) error {
	if !slices.Contains(certificateNames, name) {
		return fmt.Errorf("no such certificate: %s (there are %v)", name, certificateNames)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.chosen = name
	return nil
}

func (s *certificates) current() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.chosen
}

func (s *certificates) serverConfig() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		// A client that resumes a session is shown no certificate; mysql2 does.
		SessionTicketsDisabled: true,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.loaded[s.chosen], nil
		},
	}
}
