package main

import (
	"encoding/json"
	"os"
	"sync"
	"time"

	"vitess.io/vitess/go/mysql"
	"vitess.io/vitess/go/sqltypes"
)

// counters answers what a boot cost. A transaction is timed as the client sees
// it, from the statement that opened it to the one that ended it; vttablet's own
// clock starts with the first statement that reaches the tablet, a little later.
type counters struct {
	mu     sync.Mutex
	totals totals
}

type totals struct {
	Connections          int64 `json:"connections"`
	OpenConnections      int64 `json:"open_connections"`
	Queries              int64 `json:"queries"`
	Errors               int64 `json:"errors"`
	Transactions         int64 `json:"transactions"`
	LongestTransactionMS int64 `json:"longest_transaction_ms"`
	LongestTransactionNQ int   `json:"longest_transaction_queries"`
}

func (c *counters) connected() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.totals.Connections++
	c.totals.OpenConnections++
}

func (c *counters) disconnected() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.totals.OpenConnections--
}

func (c *counters) query(failed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.totals.Queries++
	if failed {
		c.totals.Errors++
	}
}

func (c *counters) transaction(length time.Duration, queries int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.totals.Transactions++
	if ms := length.Milliseconds(); ms >= c.totals.LongestTransactionMS {
		c.totals.LongestTransactionMS, c.totals.LongestTransactionNQ = ms, queries
	}
}

func (c *counters) read() totals {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.totals
}

// reset answers what was counted up to now. Open connections stay counted.
func (c *counters) reset() totals {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.totals
	c.totals = totals{OpenConnections: before.OpenConnections}
	return before
}

// journal writes one JSON line per statement; without a file it is silent.
type journal struct {
	mu   sync.Mutex
	file *os.File
}

type entry struct {
	At          string `json:"at"`
	Connection  uint32 `json:"connection"`
	User        string `json:"user"`
	MS          int64  `json:"ms"`
	Transaction bool   `json:"transaction"`
	Rows        int    `json:"rows"`
	Affected    uint64 `json:"affected"`
	SQL         string `json:"sql"`
	Error       string `json:"error,omitempty"`
}

func openJournal(file string) (*journal, error) {
	if file == "" {
		return &journal{}, nil
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o640)
	return &journal{file: f}, err
}

func (j *journal) statement(c *mysql.Conn, sql string, took time.Duration, cl *client, result *sqltypes.Result, err error) {
	if j.file == nil {
		return
	}
	e := entry{
		At: time.Now().Format(time.RFC3339Nano), Connection: c.ConnectionID, User: c.User,
		MS: took.Milliseconds(), Transaction: !cl.began.IsZero(), SQL: sql,
	}
	if result != nil {
		e.Rows, e.Affected = len(result.Rows), result.RowsAffected
	}
	if err != nil {
		e.Error = err.Error()
	}
	line, _ := json.Marshal(e) // strings and numbers only: cannot fail
	j.mu.Lock()
	defer j.mu.Unlock()
	_, _ = j.file.Write(append(line, '\n'))
}

func (j *journal) close() {
	if j.file != nil {
		_ = j.file.Close()
	}
}
