package decode

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/transform"

	"rensa/pkg/removal"
)

var (
	bomUTF8 = []byte("\xef\xbb\xbf")
	bomLE   = []byte("\xff\xfe")
	bomBE   = []byte("\xfe\xff")
)

// detect finds the encoding by reading the whole text. It returns where the text
// begins, behind a byte order mark.
func (f *File) detect() (encoding string, start int64, err error) {
	head := make([]byte, min(f.src.size, 4))
	if _, err := f.src.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return "", 0, fmt.Errorf("read file: %w", err)
	}
	switch {
	case string(head) == "\xff\xfe\x00\x00":
		return "", 0, f.encodingInvalid("utf-32le", 0)
	case bytes.HasPrefix(head, bomLE):
		return encUTF16LE, 2, f.checkUTF16(false)
	case bytes.HasPrefix(head, bomBE):
		return encUTF16BE, 2, f.checkUTF16(true)
	}
	var u utf8Check
	if err := f.visit(0, u.see); err != nil {
		return "", 0, err
	}
	if u.finish(); u.bad < 0 {
		if bytes.HasPrefix(head, bomUTF8) {
			return encUTF8BOM, 3, nil
		}
		return encUTF8, 0, nil
	}
	if bytes.HasPrefix(head, bomUTF8) {
		return "", 0, f.encodingInvalid(encUTF8, u.bad)
	}
	if f.opt.ShiftJIS {
		return encShiftJIS, 0, f.checkShiftJIS()
	}
	if err := f.checkCP1252(&u); err != nil {
		return "", 0, err
	}
	damaged, err := f.mostlyUTF8()
	if err == nil && damaged {
		err = f.encodingInvalid(encUTF8, u.bad)
	}
	return encCP1252, 0, err
}

// encodingInvalid refuses a text for the byte at an offset, and tells its line; in
// UTF-16, whose files are rarely written by hand, it leaves it at the byte.
func (f *File) encodingInvalid(encoding string, offset int64) error {
	bad := removal.NewFileError(removal.FileEncodingInvalid, "encoding", encoding, "offset", offset)
	switch encoding {
	case encUTF8, encCP1252, encShiftJIS:
		line, err := lineBehind(io.LimitReader(f.src.section(0), offset))
		if err != nil {
			return err
		}
		bad.Args = bad.Args.Arg("line", line)
	}
	return bad
}

// mostlyUTF8 tells whether a text that is not UTF-8 was, before a few of its bytes were
// damaged or came from elsewhere: more of its letters beyond ASCII are whole characters
// of UTF-8 than single bytes. Read as Windows-1252 each of them would be two others, and
// parcels would go to MalmÃ¶.
func (f *File) mostlyUTF8() (bool, error) {
	whole, single := 0, 0
	err := f.visit(0, func(b []byte) (int, error) {
		for i := 0; i < len(b); {
			if b[i] < utf8.RuneSelf {
				i++
				continue
			}
			if i > 0 && !utf8.FullRune(b[i:]) {
				return i, nil // it goes on in the next piece
			}
			_, size := utf8.DecodeRune(b[i:])
			if i += size; size > 1 {
				whole++
			} else {
				single++
			}
		}
		return len(b), nil
	})
	return whole > single, err
}

// visit hands the bytes from start on, piece by piece, to see, which returns how
// many of them it used; the rest comes again with the next piece. A NUL in a
// text of single bytes means that it is none.
func (f *File) visit(start int64, see func(b []byte) (int, error)) error {
	buf := make([]byte, chunkSize)
	r, kept := f.src.section(start), 0
	for {
		n, err := io.ReadFull(r, buf[kept:])
		end := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !end {
			return fmt.Errorf("read file: %w", err)
		}
		used, err := see(buf[:kept+n])
		if err != nil || end {
			return err
		}
		kept = copy(buf, buf[used:])
	}
}

type utf8Check struct {
	at, bad int64 // bad is -1 until an offence is found, then its offset
	started bool
	rest    int  // bytes at the end that may be the begin of a character
	wide    bool // characters of several bytes were found before bad
}

func (u *utf8Check) see(b []byte) (int, error) {
	if !u.started {
		u.started, u.bad = true, -1
	}
	if bytes.IndexByte(b, 0) >= 0 {
		return 0, unsupported("binary")
	}
	n := len(b)
	if u.bad >= 0 {
		return n, nil
	}
	for back := 1; back <= min(3, n); back++ {
		if c := b[n-back]; utf8.RuneStart(c) {
			if c >= 0xc0 && !utf8.FullRune(b[n-back:]) {
				n -= back
			}
			break
		}
	}
	if !utf8.Valid(b[:n]) {
		i := 0
		for {
			r, size := utf8.DecodeRune(b[i:n])
			if r == utf8.RuneError && size == 1 {
				break
			}
			u.wide = u.wide || size > 1
			i += size
		}
		u.bad = u.at + int64(i)
		return len(b), nil
	}
	u.wide = u.wide || n < len(b) || isHigh(b[:n])
	u.at += int64(n)
	u.rest = len(b) - n
	return n, nil
}

// finish is called behind the last piece: a character that is not whole by then
// never will be.
func (u *utf8Check) finish() {
	if u.bad < 0 && u.rest > 0 {
		u.bad = u.at
	}
}

func (f *File) checkCP1252(u *utf8Check) error {
	var at int64
	return f.visit(0, func(b []byte) (int, error) {
		for i, c := range b {
			if c < 0x80 || cp1252[c-0x80] != 0 {
				continue
			}
			// Text with whole characters of UTF-8 in it was meant to be that.
			if u.wide {
				return 0, f.encodingInvalid(encUTF8, u.bad)
			}
			return 0, f.encodingInvalid(encCP1252, at+int64(i))
		}
		at += int64(len(b))
		return len(b), nil
	})
}

func (f *File) checkUTF16(big bool) error {
	encoding := encUTF16LE
	if big {
		encoding = encUTF16BE
	}
	at := int64(2)
	high := false // the unit before was the first half of a pair
	err := f.visit(2, func(b []byte) (int, error) {
		n := len(b) &^ 1
		for i := 0; i < n; i += 2 {
			u := unit(b[i:], big)
			switch low := u >= 0xdc00 && u < 0xe000; {
			case u == 0:
				return 0, unsupported("binary")
			case high && !low:
				return 0, f.encodingInvalid(encoding, at+int64(i)-2)
			case !high && low:
				return 0, f.encodingInvalid(encoding, at+int64(i))
			}
			high = u >= 0xd800 && u < 0xdc00
		}
		at += int64(n)
		return n, nil
	})
	switch {
	case err != nil:
		return err
	case f.src.size%2 != 0:
		return f.encodingInvalid(encoding, f.src.size-1)
	case high:
		return f.encodingInvalid(encoding, at-2)
	}
	return nil
}

// checkShiftJIS looks for what the decoder would replace: Shift-JIS itself has no
// U+FFFD, so that each one in its output is an offence.
func (f *File) checkShiftJIS() error {
	dec := japanese.ShiftJIS.NewDecoder()
	out := make([]byte, 3*chunkSize+16)
	var at int64
	return f.visit(0, func(b []byte) (int, error) {
		n := len(b)
		last := at+int64(n) >= f.src.size
		nDst, nSrc, err := dec.Transform(out, b, last)
		if err != nil && !errors.Is(err, transform.ErrShortSrc) && !errors.Is(err, transform.ErrShortDst) {
			return 0, fmt.Errorf("read shift-jis: %w", err)
		}
		if bytes.Contains(out[:nDst], replacement) {
			for i := 0; i < nSrc; {
				_, size, err := dec.Transform(out[:4], b[i:min(i+2, nSrc)], true)
				if r, _ := utf8.DecodeRune(out); r == utf8.RuneError || err != nil && size == 0 {
					return 0, f.encodingInvalid(encShiftJIS, at+int64(i))
				}
				i += sjisLen(b[i])
			}
		}
		at += int64(nSrc)
		return nSrc, nil
	})
}

func sjisLen(c byte) int {
	if c >= 0x81 && c < 0xa0 || c >= 0xe0 && c < 0xfd {
		return 2
	}
	return 1
}

// decoded reads the text from its begin, as UTF-8.
func (f *File) decoded() io.Reader {
	r := f.src.section(f.text.start)
	switch f.format.Encoding {
	case encUTF16LE:
		return newTranscoder(r, func(dst, src []byte, end bool) (int, int) { return fromUTF16(dst, src, end, false) })
	case encUTF16BE:
		return newTranscoder(r, func(dst, src []byte, end bool) (int, int) { return fromUTF16(dst, src, end, true) })
	case encCP1252:
		return newTranscoder(r, fromCP1252)
	case encShiftJIS:
		return transform.NewReader(r, japanese.ShiftJIS.NewDecoder())
	}
	return r
}

// transcoder is an io.Reader of what convert makes of another's bytes.
type transcoder struct {
	src     io.Reader
	convert func(dst, src []byte, end bool) (nDst, nSrc int)
	raw     []byte
	a, z    int // raw[a:z] is not converted yet
	err     error
	few     [16]byte // converted for a reader that asked for less than a character
	pend    []byte
}

func newTranscoder(src io.Reader, convert func(dst, src []byte, end bool) (int, int)) *transcoder {
	return &transcoder{src: src, convert: convert, raw: make([]byte, 64<<10)}
}

func (t *transcoder) Read(p []byte) (int, error) {
	if len(t.pend) > 0 {
		n := copy(p, t.pend)
		t.pend = t.pend[n:]
		return n, nil
	}
	dst := p
	if len(p) < len(t.few) {
		dst = t.few[:]
	}
	for {
		n, used := t.convert(dst, t.raw[t.a:t.z], t.err != nil)
		t.a += used
		if n > 0 {
			if len(p) < len(t.few) {
				t.pend = dst[:n]
				n = copy(p, t.pend)
				t.pend = t.pend[n:]
			}
			return n, nil
		}
		if t.err != nil {
			return 0, t.err
		}
		t.z = copy(t.raw, t.raw[t.a:t.z])
		t.a = 0
		n, t.err = t.src.Read(t.raw[t.z:])
		t.z += n
	}
}

func fromCP1252(dst, src []byte, _ bool) (n, used int) {
	for used < len(src) {
		run := src[used:min(len(src), used+len(dst)-n)]
		if k := asciiPrefix(run); k > 0 {
			copy(dst[n:], run[:k])
			n, used = n+k, used+k
			continue
		}
		if n+3 > len(dst) {
			return n, used
		}
		r := cp1252[src[used]-0x80]
		if r == 0 {
			r = utf8.RuneError
		}
		n += utf8.EncodeRune(dst[n:], r)
		used++
	}
	return n, used
}

func fromUTF16(dst, src []byte, end, big bool) (n, used int) {
	for used+2 <= len(src) && n+4 <= len(dst) {
		r := rune(unit(src[used:], big))
		if r < 0x80 {
			dst[n] = byte(r)
			n, used = n+1, used+2
			continue
		}
		size := 2
		if utf16.IsSurrogate(r) {
			if used+4 > len(src) && !end {
				return n, used
			}
			if used+4 <= len(src) {
				r = utf16.DecodeRune(r, rune(unit(src[used+2:], big)))
				size = 4
			}
		}
		n += utf8.EncodeRune(dst[n:], r)
		used += size
	}
	return n, used
}

func unit(b []byte, big bool) uint16 {
	if big {
		return uint16(b[0])<<8 | uint16(b[1])
	}
	return uint16(b[1])<<8 | uint16(b[0])
}

// cp1252 maps the bytes from 0x80; 0 stands for the five that are undefined.
var cp1252 = func() (t [128]rune) {
	for i := range t {
		t[i] = rune(0x80 + i)
	}
	copy(t[:], []rune{
		'€', 0, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 0, 'Ž', 0,
		0, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', 0, 'ž', 'Ÿ',
	})
	return t
}()
