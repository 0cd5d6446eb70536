package rdb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// advance scans the next record. If it has raw bytes, they are pinned.
func (r *Reader) advance(h *Head) error {
	if r.err != nil {
		return r.err
	}
	r.mark = -1
	if r.version == 0 {
		if r.err = r.scanHeader(); r.err != nil {
			return r.err
		}
	}
	var err error
	if r.layout != nil {
		err = r.scanPart(h)
	} else {
		*h = Head{ExpireMS: None, IdleSeconds: None, Freq: None, DB: r.db, Version: r.version}
		err = r.scanRecord(h)
	}
	if err != nil {
		r.err = err
		return err
	}
	if h.Kind == KindEOF {
		r.err = io.EOF
	}
	return nil
}

const headerBytes = 9

// scanHeader reads the magic and the version: REDIS and 4 digits, or VALKEY and 3.
func (r *Reader) scanHeader() error {
	r.fill(headerBytes)
	p := r.buf[r.pos:min(r.end, r.pos+headerBytes)]
	magic := "REDIS"
	isValkey := len(p) > 0 && p[0] == 'V'
	if isValkey {
		magic = "VALKEY"
	}
	switch {
	case bytes.HasPrefix(p, []byte("VCS")):
		return corruptAt(0, "header", errCompressed)
	case string(p[:min(len(p), len(magic))]) != magic[:min(len(p), len(magic))]:
		return corruptAt(0, "header", errMagic)
	case len(p) < headerBytes:
		return r.refill(headerBytes, "header")
	}
	at, digits := int64(len(magic)), p[len(magic):]
	v := Version(0)
	for _, digit := range digits {
		if digit < '0' || digit > '9' {
			return corruptAt(at, "version", fmt.Errorf("%q is not a number", digits))
		}
		v = v*10 + Version(digit-'0')
	}
	switch {
	case v == 0 || isValkey != v.IsValkey():
		return corruptAt(at, "version", fmt.Errorf("%d is none of this family", int(v)))
	case !v.isKnown():
		return corruptAt(at, "version", fmt.Errorf("%d: %w", int(v), ErrVersion))
	case v < versionChecksum && r.opts.Trailing:
		// Such an end could not be told from a damaged version number.
		return corruptAt(at, "version", fmt.Errorf("%d has no checksum to end the file", int(v)))
	}
	r.pos += headerBytes
	r.version = v
	return nil
}

// scanRecord scans up to the end of the next record. A key's expiry, idle time
// and frequency come in front of it and are part of its record.
func (r *Reader) scanRecord(h *Head) error {
	for loose := false; ; loose = true {
		if err := r.need(1, "opcode"); err != nil {
			return err
		}
		op := r.buf[r.pos]
		h.Offset = r.offset()
		r.pos++
		var err error
		switch op {
		case opExpireMS, opExpire:
			err = r.scanExpire(op, h)
		case opIdle:
			err = r.scanIdle(h)
		case opFreq:
			var p []byte
			if p, err = r.take(1, "frequency"); err == nil {
				h.Freq = int16(p[0])
			}
		default:
			if op < opTemplate {
				return r.scanKey(h, Type(op))
			}
			if loose {
				return corruptAt(h.Offset, "opcode", errLooseMeta)
			}
			return r.scanOpcode(h, op)
		}
		if err != nil {
			return err
		}
	}
}

func (r *Reader) scanExpire(op byte, h *Head) error {
	if op == opExpire {
		p, err := r.take(4, "expiry")
		if err == nil {
			h.ExpireMS = int64(int32(binary.LittleEndian.Uint32(p))) * 1000
		}
		return err
	}
	p, err := r.take(8, "expiry")
	if err == nil {
		h.ExpireMS = int64(binary.LittleEndian.Uint64(p))
	}
	return err
}

func (r *Reader) scanIdle(h *Head) error {
	at := r.offset()
	seconds, err := r.length("idle time")
	if err != nil {
		return err
	}
	if seconds > math.MaxInt64 {
		return corruptAt(at, "idle time", fmt.Errorf("%d seconds", seconds))
	}
	h.IdleSeconds = int64(seconds)
	return nil
}

// scanKey scans a key and its value, behind the type byte.
func (r *Reader) scanKey(h *Head, t Type) error {
	at := h.Offset
	unreadable := checkType(r.version, t, r.opts.Accept, at)
	if _, isCorrupt := unreadable.(*CorruptError); isCorrupt {
		return unreadable
	}
	h.Kind, h.Type, h.Offset = KindKey, t, r.offset()
	r.pin()
	start := len(r.spill)
	if err := r.scanString("key"); err != nil {
		return err
	}
	keyBytes := int(r.offset() - h.Offset)
	err := unreadable
	switch {
	case err != nil:
	case t == TypeString:
		err = r.scanString("value")
	default:
		if err = r.scanFirst(h); err == nil && r.layout != nil {
			return r.keepKey(h, r.pinned(start, keyBytes))
		}
	}
	if err != nil {
		return r.nameKey(err, h, r.pinned(start, keyBytes))
	}
	return nil
}

// nameKey adds to err the key that was being read, whose raw bytes are given.
func (r *Reader) nameKey(err error, h *Head, raw []byte) error {
	if undecodable := r.keepKey(h, raw); undecodable != nil {
		return undecodable
	}
	if unsupported, ok := errors.AsType[*UnsupportedTypeError](err); ok {
		unsupported.DB, unsupported.Key = h.DB, append([]byte{}, r.key...)
		return unsupported
	}
	return atKey(err, h.DB, r.key)
}

// scanOpcode scans the record that op opens, behind the opcode.
func (r *Reader) scanOpcode(h *Head, op byte) error {
	switch op {
	case opEOF:
		h.Kind = KindEOF
		return r.scanEOF()
	case opSelectDB:
		return r.scanSelectDB(h)
	case opResizeDB:
		h.Kind = KindResizeDB
		return r.scanSizes(h)
	case opSlotInfo:
		return r.scanSlotInfo(h)
	case opAux:
		h.Kind, h.Offset = KindAux, r.offset()
		r.pin()
		if err := r.scanString("AUX name"); err != nil {
			return err
		}
		return r.scanString("AUX value")
	case opModuleAux:
		return r.scanModuleAux(h)
	case opFunction2:
		if r.opts.Accept&Functions == 0 {
			break
		}
		h.Kind, h.Offset = KindFunction, r.offset()
		r.pin()
		return r.scanString("function library")
	}
	return unsupportedOpcode(h.Offset, op, r.version.opcodeName(op))
}

func unsupportedOpcode(at int64, op byte, name string) error {
	return &UnsupportedTypeError{Offset: at, Code: op, Name: name, Opcode: true}
}

// opcodeName names the opcodes that are never read.
func (v Version) opcodeName(op byte) string {
	switch {
	case op == opFunction2:
		return "functions"
	case op == opFunctionPre:
		return "functions of a release candidate of Redis 7.0"
	case op == opKeyMeta && v.IsValkey():
		return "slot imports"
	case op == opKeyMeta:
		return "key metadata"
	case op == opTemplate && v.IsValkey():
		return "updates during the save"
	default:
		return "hash templates"
	}
}

// scanModuleAux scans what a module keeps beside the keys: its number, and values.
func (r *Reader) scanModuleAux(h *Head) (err error) {
	if h.Module, err = r.length("module"); err != nil {
		return err
	}
	if r.opts.Accept&Modules == 0 {
		return unsupportedOpcode(h.Offset, opModuleAux, "data of module "+ModuleName(h.Module))
	}
	h.Kind = KindModuleAux
	for opcode := uint64(1); opcode != moduleEOF; {
		if opcode, err = r.scanModuleValue("module data"); err != nil {
			return err
		}
	}
	return nil
}

// ModuleName decodes the name in the upper 54 bits of a module's number: nine
// characters of six bits each.
func ModuleName(id uint64) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	var name [9]byte
	for i := range name {
		name[i] = letters[id>>(58-6*i)&63]
	}
	return string(name[:])
}

func (r *Reader) scanSelectDB(h *Head) error {
	at := r.offset()
	db, err := r.length("database number")
	if err != nil {
		return err
	}
	if db > dbMax {
		return corruptAt(at, "database number", fmt.Errorf("%d is out of range", db))
	}
	r.db = int(db)
	h.Kind, h.DB = KindSelectDB, r.db
	return nil
}

func (r *Reader) scanSizes(h *Head) (err error) {
	if h.Keys, err = r.length("number of keys"); err != nil {
		return err
	}
	h.Expires, err = r.length("number of expires")
	return err
}

func (r *Reader) scanSlotInfo(h *Head) error {
	at := r.offset()
	slot, err := r.length("slot")
	if err != nil {
		return err
	}
	if slot >= clusterSlots {
		return corruptAt(at, "slot", fmt.Errorf("%d is not below %d", slot, clusterSlots))
	}
	h.Kind, h.Slot = KindSlotInfo, uint16(slot)
	return r.scanSizes(h)
}

// scanEOF compares the checksum, and sees that nothing follows.
func (r *Reader) scanEOF() error {
	if r.version >= versionChecksum {
		if err := r.scanChecksum(); err != nil {
			return err
		}
	}
	if r.opts.Trailing {
		return nil
	}
	if r.fill(1) {
		return corruptAt(r.offset(), "end of file", errTrailing)
	}
	if r.readErr != io.EOF {
		return r.refill(1, "end of file")
	}
	return nil
}

func (r *Reader) scanChecksum() error {
	if err := r.need(8, "checksum"); err != nil {
		return err
	}
	r.sum()
	at := r.offset()
	p, err := r.take(8, "checksum")
	if err != nil {
		return err
	}
	r.summed = r.pos // it isn't part of itself
	said := binary.LittleEndian.Uint64(p)
	if said == 0 || r.opts.SkipChecksum {
		return nil
	}
	if said != r.crc {
		err := fmt.Errorf("%w: the file says %016x, its content gives %016x", ErrChecksum, said, r.crc)
		return corruptAt(at, "checksum", fault("RDB CRC error", err))
	}
	r.checked = true
	return nil
}
