package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// settings can be changed while clients are connected.
type settings struct {
	mu    sync.Mutex
	delay time.Duration
	fault fault
}

func newSettings(delay time.Duration) *settings { return &settings{delay: delay, fault: faultNone} }

// travel waits as long as that many journeys to the database and back take.
func (s *settings) travel(roundTrips int) {
	s.mu.Lock()
	delay := s.delay
	s.mu.Unlock()
	if delay > 0 {
		time.Sleep(time.Duration(roundTrips) * delay)
	}
}

// statement is one journey, or the long wait for an answer that comes late.
func (s *settings) statement() {
	s.travel(1)
	if s.currentFault() == faultLate {
		time.Sleep(lateness)
	}
}

func (s *settings) currentFault() fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault
}

// change is the body of PUT /settings; what is left out stays as it is.
type change struct {
	RTT         *int    `json:"rtt_ms"`
	Certificate *string `json:"certificate"`
	Fault       *fault  `json:"fault"`
}

// serveControl listens on loopback for the bench itself:
//
//	GET  /counters         what was counted
//	POST /counters/reset   the same, then start again from nought
//	GET  /settings         round-trip time, certificate, fault
//	PUT  /settings         change some of them
//	POST /hang-up          drop every client
func serveControl(address string, h *handler, store *certificates) (*http.Server, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("the control endpoint is for loopback only, not %s", host)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /counters", func(w http.ResponseWriter, _ *http.Request) { answer(w, h.counters.read()) })
	mux.HandleFunc("POST /counters/reset", func(w http.ResponseWriter, _ *http.Request) { answer(w, h.counters.reset()) })
	mux.HandleFunc("POST /hang-up", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]int{"dropped": h.hangUp()})
	})
	show := func(w http.ResponseWriter) {
		s := h.settings
		s.mu.Lock()
		defer s.mu.Unlock()
		answer(w, map[string]any{"rtt_ms": s.delay.Milliseconds(), "certificate": store.current(), "fault": s.fault})
	}
	mux.HandleFunc("GET /settings", func(w http.ResponseWriter, _ *http.Request) { show(w) })
	mux.HandleFunc("PUT /settings", func(w http.ResponseWriter, r *http.Request) {
		var c change
		d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16))
		d.DisallowUnknownFields()
		err := d.Decode(&c)
		if err == nil {
			err = c.apply(h.settings, store)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		show(w)
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(l) }()
	return server, nil
}

func (c change) apply(s *settings, store *certificates) error {
	if c.RTT != nil && *c.RTT < 0 {
		return fmt.Errorf("rtt_ms must not be negative: %d", *c.RTT)
	}
	if c.Fault != nil && !c.Fault.known() {
		return fmt.Errorf("no such fault: %s (there are %v)", *c.Fault, faults)
	}
	if c.Certificate != nil {
		if err := store.choose(*c.Certificate); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.RTT != nil {
		s.delay = time.Duration(*c.RTT) * time.Millisecond
	}
	if c.Fault != nil {
		s.fault = *c.Fault
	}
	return nil
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}
