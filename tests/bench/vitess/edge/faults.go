package main

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// fault is what a network between Ghost and its database can do. It is applied
// below TLS, when a connection is accepted ("late" to each statement); "refused"
// needs no fault, only a port on which nobody listens.
type fault string

const (
	faultNone      fault = "none"
	faultBlackHole fault = "black-hole" // accepts, never says a word
	faultReset     fault = "reset"      // greets, then resets in the handshake
	faultSlow      fault = "slow"       // one packet a second
	faultLate      fault = "late"       // every answer to a statement 3 s late
	faultCut       fault = "cut"        // ends in the middle of a result
	faultGarbage   fault = "garbage"    // a greeting that is none
	faultHTTP      fault = "http"       // a web server on the port
)

var faults = []fault{faultNone, faultBlackHole, faultReset, faultSlow, faultLate, faultCut, faultGarbage, faultHTTP}

const (
	blackHoleLife = 5 * time.Minute
	slowPace      = time.Second
	lateness      = 3 * time.Second
	// Greeting, TLS handshake and login take less; a result of some size more.
	cutAfterBytes = 6 * 1024
)

func (f fault) known() bool {
	for _, k := range faults {
		if f == k {
			return true
		}
	}
	return false
}

// faultListener hands sound connections to the MySQL listener and keeps those
// it answers for itself.
type faultListener struct {
	net.Listener
	settings *settings
}

func (l *faultListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		switch f := l.settings.currentFault(); f {
		case faultBlackHole:
			go hold(c, nil)
		case faultGarbage:
			go hold(c, []byte("\x07\x00\x00\x00\xffgarbage\xfe\xfe\xfe\xfe"))
		case faultHTTP:
			go hold(c, []byte("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
		case faultReset, faultSlow, faultCut:
			return &faultyConn{Conn: c, fault: f}, nil
		default:
			return c, nil
		}
	}
}

// hold says its piece, if it has one, and then waits for the client to go away.
func hold(c net.Conn, words []byte) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(blackHoleLife))
	if words != nil {
		if _, err := c.Write(words); err != nil {
			return
		}
		_ = c.SetReadDeadline(time.Now().Add(time.Second))
	}
	_, _ = io.Copy(io.Discard, c)
}

var errFault = errors.New("the bench's fault")

// faultyConn is a connection on which the greeting still works.
type faultyConn struct {
	net.Conn
	fault   fault
	written atomic.Int64
}

func (c *faultyConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.fault == faultReset && n > 0 { // the client answered the greeting
		c.reset()
		return 0, errFault
	}
	return n, err
}

func (c *faultyConn) Write(p []byte) (int, error) {
	if c.fault == faultSlow {
		time.Sleep(slowPace)
	}
	if c.fault == faultCut {
		if left := cutAfterBytes - c.written.Load(); int64(len(p)) > left {
			_, _ = c.Conn.Write(p[:max(left, 0)])
			_ = c.Conn.Close()
			return 0, errFault
		}
	}
	n, err := c.Conn.Write(p)
	c.written.Add(int64(n))
	return n, err
}

func (c *faultyConn) reset() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // makes Close send RST
	}
	_ = c.Conn.Close()
}
