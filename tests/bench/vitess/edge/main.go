// Edge stands in for PlanetScale's front end: it speaks MySQL with TLS to the
// client and gRPC to vtgate. gRPC drops the part of a Vitess error that vtgate
// would translate by itself, which is why a client of PlanetScale sees errno
// 1105 where a client of a plain vtgate sees 1007. No error text is written
// here: what a client reads comes from Vitess's own packages.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"vitess.io/vitess/go/mysql"
	"vitess.io/vitess/go/vt/log"
	_ "vitess.io/vitess/go/vt/vtgate/grpcvtgateconn" // registers the gRPC dialer
	"vitess.io/vitess/go/vt/vtgate/vtgateconn"
)

type options struct {
	listen       string
	control      string
	vtgate       string
	version      string
	certificates string
	certificate  string
	users        string
	statements   string
	delay        time.Duration
	requireTLS   bool
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "certificates" {
		if err := makeCertificates(os.Args[2:]); err != nil {
			fail(err)
		}
		return
	}
	var o options
	flag.StringVar(&o.listen, "listen", "127.0.0.1:3306", "address for MySQL clients")
	flag.StringVar(&o.control, "control", "127.0.0.1:3307", "loopback address of the control endpoint")
	flag.StringVar(&o.vtgate, "vtgate", "127.0.0.1:15991", "vtgate's gRPC address")
	flag.StringVar(&o.version, "server-version", "8.0.34-Vitess", "version in the greeting")
	flag.StringVar(&o.certificates, "certificates", "", "directory made by `edge certificates`")
	flag.StringVar(&o.certificate, "certificate", "good", "which certificate to show first")
	flag.StringVar(&o.users, "users", "", "file with user names and passwords (JSON object)")
	flag.StringVar(&o.statements, "statements", "", "file for the log of statements (JSON lines)")
	flag.DurationVar(&o.delay, "rtt", 0, "delay added to every command, as a distance would")
	flag.BoolVar(&o.requireTLS, "require-tls", true, "turn away clients without TLS")
	flag.Parse()
	if err := run(o); err != nil {
		fail(err)
	}
}

func run(o options) error {
	users, err := readUsers(o.users)
	if err != nil {
		return err
	}
	store, err := openCertificates(o.certificates, o.certificate)
	if err != nil {
		return err
	}
	journal, err := openJournal(o.statements)
	if err != nil {
		return err
	}
	defer journal.close()

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	dialCtx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	vtgate, err := vtgateconn.Dial(dialCtx, o.vtgate)
	if err != nil {
		return fmt.Errorf("vtgate at %s: %w", o.vtgate, err)
	}
	defer vtgate.Close()

	settings := newSettings(o.delay)
	handler, err := newHandler(vtgate, settings, journal, o.version)
	if err != nil {
		return err
	}
	raw, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	front := &faultListener{Listener: raw, settings: settings}
	auth := mysql.NewAuthServerStatic("", users, 0)
	listener, err := mysql.NewFromListener(front, auth, handler, 0, 0, false, false, 0, 0, false)
	if err != nil {
		return err
	}
	listener.ServerVersion = o.version
	listener.RequireSecureTransport = o.requireTLS
	listener.TLSConfig.Store(store.serverConfig())

	control, err := serveControl(o.control, handler, store)
	if err != nil {
		return err
	}
	go listener.Accept()
	log.Info("edge listens on " + o.listen)
	<-ctx.Done()
	listener.Close()
	return control.Close()
}

// readUsers turns {"name": "password"} into what Vitess's static
// authentication reads. The name doubles as the caller id that vttablet's
// table access rules look at.
func readUsers(file string) (string, error) {
	if file == "" {
		return "", errors.New("--users is missing")
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	var passwords map[string]string
	if err := json.Unmarshal(raw, &passwords); err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	entries := map[string][]map[string]string{}
	for name, password := range passwords {
		entries[name] = []map[string]string{{"Password": password, "UserData": name}}
	}
	out, err := json.Marshal(entries)
	return string(out), err
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "edge:", err)
	os.Exit(1)
}
