package main

import (
	"context"
	"sync"
	"time"

	"vitess.io/vitess/go/mysql"
	"vitess.io/vitess/go/mysql/replication"
	"vitess.io/vitess/go/mysql/sqlerror"
	"vitess.io/vitess/go/sqltypes"
	"vitess.io/vitess/go/vt/callerid"
	querypb "vitess.io/vitess/go/vt/proto/query"
	"vitess.io/vitess/go/vt/proto/vtrpc"
	"vitess.io/vitess/go/vt/vtenv"
	"vitess.io/vitess/go/vt/vterrors"
	"vitess.io/vitess/go/vt/vtgate/vtgateconn"
)

// A login costs about three journeys beside the statements: TCP, TLS, password.
const loginRoundTrips = 3

// handler passes what a MySQL client sends on to vtgate, one vtgate session per
// client connection, and counts.
type handler struct {
	mysql.UnimplementedHandler
	vtgate   *vtgateconn.VTGateConn
	settings *settings
	journal  *journal
	counters counters
	env      *vtenv.Environment

	mu    sync.Mutex
	conns map[uint32]*mysql.Conn
}

// client is what is known about one connection.
type client struct {
	session *vtgateconn.VTGateSession
	began   time.Time // zero outside a transaction
	writes  int
}

func newHandler(vtgate *vtgateconn.VTGateConn, s *settings, j *journal, version string) (*handler, error) {
	env, err := vtenv.New(vtenv.Options{MySQLServerVersion: version})
	if err != nil {
		return nil, err
	}
	return &handler{vtgate: vtgate, settings: s, journal: j, env: env, conns: map[uint32]*mysql.Conn{}}, nil
}

func (h *handler) Env() *vtenv.Environment { return h.env }

func (h *handler) NewConnection(c *mysql.Conn) {
	h.settings.travel(loginRoundTrips)
	c.StatusFlags |= mysql.ServerStatusAutocommit
	h.counters.connected()
	h.mu.Lock()
	h.conns[c.ConnectionID] = c
	h.mu.Unlock()
}

func (h *handler) ConnectionClosed(c *mysql.Conn) {
	h.mu.Lock()
	delete(h.conns, c.ConnectionID)
	h.mu.Unlock()
	h.counters.disconnected()
	h.ComResetConnection(c)
}

func (h *handler) ComResetConnection(c *mysql.Conn) {
	cl, ok := c.ClientData.(*client)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(h.caller(c), 10*time.Second)
	defer cancel()
	_ = cl.session.CloseSession(ctx) // the client is gone: nobody left to tell
	if !cl.began.IsZero() {
		h.counters.transaction(time.Since(cl.began), cl.writes)
	}
	c.ClientData = nil
}

// hangUp drops every client, as a restarted front end does.
func (h *handler) hangUp() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.conns {
		c.Close()
	}
	return len(h.conns)
}

func (h *handler) client(c *mysql.Conn) *client {
	if cl, ok := c.ClientData.(*client); ok {
		return cl
	}
	cl := &client{session: h.vtgate.Session("", &querypb.ExecuteOptions{
		IncludedFields:  querypb.ExecuteOptions_ALL,
		Workload:        querypb.ExecuteOptions_OLTP,
		ClientFoundRows: c.Capabilities&mysql.CapabilityClientFoundRows != 0,
	})}
	// Without it vtgate ignores SET of system variables.
	cl.session.SessionPb().EnableSystemSettings = true
	c.ClientData = cl
	return cl
}

func (h *handler) caller(c *mysql.Conn) context.Context {
	return callerid.NewContext(context.Background(),
		callerid.NewEffectiveCallerID(c.User, c.RemoteAddr().String(), "edge"),
		callerid.NewImmediateCallerID(c.User))
}

func (h *handler) ComQuery(c *mysql.Conn, query string, callback func(*sqltypes.Result) error) error {
	result, err := h.execute(c, query, map[string]*querypb.BindVariable{}, false)
	if err != nil {
		return err
	}
	return callback(result)
}

func (h *handler) ComStmtExecute(c *mysql.Conn, prepared *mysql.PrepareData, callback func(*sqltypes.Result) error) error {
	result, err := h.execute(c, prepared.PrepareStmt, prepared.BindVars, true)
	if err != nil {
		return err
	}
	return callback(result)
}

func (h *handler) execute(c *mysql.Conn, query string, vars map[string]*querypb.BindVariable, prepared bool) (*sqltypes.Result, error) {
	h.settings.statement()
	cl := h.client(c)
	ctx, cancel := context.WithCancel(h.caller(c))
	defer cancel()
	c.UpdateCancelCtx(cancel)

	start := time.Now()
	result, err := cl.session.Execute(ctx, query, vars, prepared)
	took := time.Since(start)
	h.follow(c, cl, start)
	err = sqlerror.NewSQLErrorFromError(err)
	h.counters.query(err != nil)
	h.journal.statement(c, query, took, cl, result, err)
	return result, err
}

// follow keeps the status flags and the length of the transaction. A failed
// statement leaves it open too, so both are asked of the session, not guessed.
func (h *handler) follow(c *mysql.Conn, cl *client, start time.Time) {
	session := cl.session.SessionPb()
	if session.GetInTransaction() {
		c.StatusFlags |= mysql.ServerStatusInTrans
		if cl.began.IsZero() {
			cl.began, cl.writes = start, 0
		}
		cl.writes++
	} else {
		c.StatusFlags &= mysql.NoServerStatusInTrans
		if !cl.began.IsZero() {
			h.counters.transaction(time.Since(cl.began), cl.writes)
			cl.began = time.Time{}
		}
	}
	if session.GetAutocommit() {
		c.StatusFlags |= mysql.ServerStatusAutocommit
	} else {
		c.StatusFlags &= mysql.NoServerStatusAutocommit
	}
}

func (h *handler) ComPrepare(c *mysql.Conn, query string) ([]*querypb.Field, uint16, error) {
	h.settings.statement()
	ctx, cancel := context.WithTimeout(h.caller(c), time.Minute)
	defer cancel()
	fields, params, err := h.client(c).session.Prepare(ctx, query)
	if err := sqlerror.NewSQLErrorFromError(err); err != nil {
		return nil, 0, err
	}
	return fields, params, nil
}

func (h *handler) WarningCount(c *mysql.Conn) uint16 {
	return uint16(len(h.client(c).session.SessionPb().GetWarnings()))
}

// ComQueryMulti is only reached with vtgate's multi-query protocol, which is
// off here as it is by default in vtgate: the listener splits the statements.
func (h *handler) ComQueryMulti(c *mysql.Conn, sql string, callback func(sqltypes.QueryResponse, bool, bool) error) error {
	return h.ComQuery(c, sql, func(r *sqltypes.Result) error {
		return callback(sqltypes.QueryResponse{QueryResult: r}, false, true)
	})
}

func (h *handler) ComRegisterReplica(*mysql.Conn, string, uint16, string, string) error {
	return vterrors.VT12001("ComRegisterReplica")
}

func (h *handler) ComBinlogDump(*mysql.Conn, string, uint32) error {
	return vterrors.Errorf(vtrpc.Code_UNIMPLEMENTED, "ComBinlogDump")
}

func (h *handler) ComBinlogDumpGTID(*mysql.Conn, string, uint64, replication.GTIDSet, uint16) error {
	return vterrors.Errorf(vtrpc.Code_UNIMPLEMENTED, "ComBinlogDumpGTID")
}
