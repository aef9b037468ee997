package decode

import (
	"encoding/binary"
	"errors"
	"io"
)

// inflater unpacks a deflated stream (RFC 1951). It takes 56 bits of input at a time
// and looks a whole code up at once, where the library takes a byte at a time:
// unpacking is a third of the work of reading a workbook (BenchmarkInflate). The
// tests hold it against compress/flate; the archive's checksum is compared by who
// reads from it.
//
// Everything it reads lies in two buffers of its own. A stream that breaks off is
// io.ErrUnexpectedEOF, one that cannot be right errDeflate.
type inflater struct {
	src io.Reader
	err error // of src, io.EOF at its end
	in  [inflateIn + inflatePad]byte
	end int // of what was read into in

	// The input not yet used: the low bits of hold, count of them, then in[ip:].
	// Bits above count may be set, to what they will be.
	hold  uint64
	count uint
	ip    int

	out      [inflateOut + inflatePad]byte
	from, to int // what was unpacked and not handed out yet
	stored   int // bytes left of a block that is not packed
	final    bool
	tables   *codeTables
	dynamic  codeTables
	done     error
}

const (
	inflateIn     = 32 << 10
	inflateOut    = 128 << 10
	inflateWindow = 32 << 10
	longestMatch  = 258
	// inflatePad is room behind a buffer, so that words may be read and written
	// without asking for its end.
	inflatePad = 64
	// inflateStep is the most input that one turn of the loop uses.
	inflateStep = 24
)

var errDeflate = errors.New("not a deflated stream, or a damaged one")

func newInflater(src io.Reader) io.ReadCloser { return &inflater{src: src} }

// Close ends the use of the inflater, not that of what it reads from.
func (f *inflater) Close() error { return nil }

func (f *inflater) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for f.from == f.to {
		if f.done != nil {
			return 0, f.done
		}
		if f.to > inflateOut-longestMatch {
			// All was handed out; what a match may refer to moves to the front.
			f.to = copy(f.out[:], f.out[f.to-inflateWindow:f.to])
			f.from = f.to
		}
		f.done = f.unpack()
	}
	n := copy(p, f.out[f.from:f.to])
	f.from += n
	return n, nil
}

// unpack goes on until there is no more room, or to the end, which is io.EOF.
func (f *inflater) unpack() error {
	for f.to <= inflateOut-longestMatch {
		var err error
		switch {
		case f.stored > 0:
			err = f.copyStored()
		case f.tables != nil:
			err = f.symbols()
		case f.final:
			return io.EOF
		default:
			err = f.block()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// fill reads on, so that at least inflateStep bytes lie there or the input is at its
// end. It fails where more was used than there is.
func (f *inflater) fill() error {
	if err := f.giveBack(); err != nil {
		return err
	}
	for f.err == nil && f.end-f.ip < inflateStep {
		f.end = copy(f.in[:], f.in[f.ip:f.end])
		f.ip = 0
		var n int
		n, f.err = f.src.Read(f.in[f.end:inflateIn])
		f.end += n
	}
	if f.err != nil && !errors.Is(f.err, io.EOF) {
		return f.err
	}
	if f.err != nil {
		clear(f.in[f.end : f.end+inflatePad])
	}
	return nil
}

// giveBack puts whole bytes that were taken and not used back into the input.
func (f *inflater) giveBack() error {
	f.ip -= int(f.count >> 3)
	f.count &= 7
	f.hold &= 1<<f.count - 1
	if f.ip > f.end {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// bits takes n bits, up to 16.
func (f *inflater) bits(n uint) (v uint, err error) {
	if f.count < n && f.end-f.ip < inflateStep && f.err == nil {
		if err := f.fill(); err != nil {
			return 0, err
		}
	}
	for f.count < n {
		if f.ip >= f.end {
			return 0, io.ErrUnexpectedEOF
		}
		f.hold |= uint64(f.in[f.ip]) << f.count
		f.count += 8
		f.ip++
	}
	v = uint(f.hold) & (1<<n - 1)
	f.hold >>= n
	f.count -= n
	return v, nil
}

// block reads the begin of a block.
func (f *inflater) block() error {
	head, err := f.bits(3)
	if err != nil {
		return err
	}
	f.final = head&1 == 1
	switch head >> 1 {
	case 0:
		return f.beginStored()
	case 1:
		f.tables = fixedTables()
		return nil
	case 2:
		if err := f.readTables(); err != nil {
			return err
		}
		f.tables = &f.dynamic
		return nil
	}
	return errDeflate
}

func (f *inflater) beginStored() error {
	f.hold >>= f.count & 7
	f.count &^= 7
	size, err := f.bits(16)
	if err != nil {
		return err
	}
	check, err := f.bits(16)
	if err != nil {
		return err
	}
	if size != ^check&0xffff {
		return errDeflate
	}
	f.stored = int(size)
	return nil
}

func (f *inflater) copyStored() error {
	if err := f.fill(); err != nil { // puts whole bytes back
		return err
	}
	if f.ip == f.end {
		return io.ErrUnexpectedEOF
	}
	n := copy(f.out[f.to:inflateOut], f.in[f.ip:min(f.end, f.ip+f.stored)])
	f.ip += n
	f.to += n
	f.stored -= n
	return nil
}

// symbols unpacks until the block ends or there is no more room.
func (f *inflater) symbols() error {
	for {
		if err := f.fill(); err != nil {
			return err
		}
		ended, err := f.run()
		// What seems wrong may be the zeros behind an input that broke off.
		if over := f.giveBack(); over != nil {
			return over
		}
		if ended {
			f.tables = nil
		}
		if ended || err != nil || f.to > inflateOut-longestMatch {
			return err
		}
	}
}

// run unpacks while there are input and room. The state lies in variables of its
// own meanwhile.
func (f *inflater) run() (ended bool, err error) {
	t, in, out := f.tables, &f.in, &f.out
	hold, count, ip, to := f.hold, f.count, f.ip, f.to
	last := f.end - inflateStep
	if f.err != nil {
		last = f.end + 8 // into the zeros behind it, where it is found to have ended
	}
loop:
	for ip <= last && to <= inflateOut-longestMatch {
		hold |= binary.LittleEndian.Uint64(in[ip:ip+8]) << count
		ip += int(63-count) >> 3
		count |= 56
		e := t.symbols[hold&(1<<symbolBits-1)]
		if e&codeLiteral != 0 {
			// Three codes of up to 15 bits fit into 56.
			hold >>= e & 63
			count -= uint(e & 63)
			out[to] = byte(e >> codeValue)
			to++
			e = t.symbols[hold&(1<<symbolBits-1)]
			if e&codeLiteral != 0 {
				hold >>= e & 63
				count -= uint(e & 63)
				out[to] = byte(e >> codeValue)
				to++
				continue
			}
			hold |= binary.LittleEndian.Uint64(in[ip:ip+8]) << count
			ip += int(63-count) >> 3
			count |= 56
		}
		if e&codeOther != 0 {
			if e&codeSub != 0 {
				hold >>= symbolBits
				count -= symbolBits
				e = t.symbols[e>>codeValue&0x1fff+uint32(hold)&(1<<(e&63)-1)]
			}
			switch {
			case e&codeLiteral != 0:
				hold >>= e & 63
				count -= uint(e & 63)
				out[to] = byte(e >> codeValue)
				to++
				continue
			case e&codeEnd != 0:
				hold >>= e & 63
				count -= uint(e & 63)
				ended = true
				break loop
			case e&codeOther != 0:
				err = errDeflate
				break loop
			}
		}
		// e&63 bits are code and extra bits, the first e>>6&15 of them the code.
		length := int(e>>codeValue&0x1ff) + int(hold&(1<<(e&63)-1)>>(e>>6&15))
		hold >>= e & 63
		count -= uint(e & 63)
		e = t.distances[hold&(1<<distanceBits-1)]
		if e&codeOther != 0 {
			if e&codeSub == 0 {
				err = errDeflate
				break loop
			}
			hold >>= distanceBits
			count -= distanceBits
			e = t.distances[e>>codeValue&0xfff+uint32(hold)&(1<<(e&63)-1)]
			if e&codeOther != 0 {
				err = errDeflate
				break loop
			}
		}
		distance := int(e>>codeValue) + int(hold&(1<<(e&63)-1)>>(e>>6&15))
		hold >>= e & 63
		count -= uint(e & 63)
		at := to - distance
		if at < 0 {
			err = errDeflate
			break loop
		}
		end := to + length
		if distance >= 8 {
			for {
				binary.LittleEndian.PutUint64(out[to:to+8], binary.LittleEndian.Uint64(out[at:at+8]))
				if to += 8; to >= end {
					break
				}
				at += 8
			}
			to = end
			continue
		}
		for ; to < end; to++ {
			out[to] = out[at]
			at++
		}
	}
	f.hold, f.count, f.ip, f.to = hold, count, ip, to
	return ended, err
}
