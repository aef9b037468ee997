package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
)

// What a block's bytes can be refused for.
var (
	// ErrDamaged says that the bytes of a block, or of the database, are not those that
	// were written.
	ErrDamaged = errors.New("damaged")
	// ErrNewer says that a newer program wrote the block or the database.
	ErrNewer = errors.New("written by a newer version of the program")
)

// blockKind is what a packed block holds; it stands in its frame, so that one
// can never be read as another.
type blockKind byte

const (
	blockOutcomes      blockKind = 'o'
	blockOrderOutcomes blockKind = 'p'
	blockMovements     blockKind = 'm'
	blockIDs           blockKind = 'i'
	blockOrders        blockKind = 'b'
	blockHashes        blockKind = 'h'
)

// blockVersion is the version written now, and the newest that is read.
var blockVersion = map[blockKind]byte{
	blockOutcomes: 1, blockOrderOutcomes: 1, blockMovements: 1, blockIDs: 1, blockOrders: 1, blockHashes: 1,
}

// frameSize is the length of what stands before the payload: 'R', the kind, the
// version, a zero, and CRC-32C of the payload.
const frameSize = 8

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// openFrame appends an unfinished frame; closeFrame completes it once the
// payload stands behind it.
func openFrame(dst []byte, kind blockKind) []byte {
	return append(dst, 'R', byte(kind), blockVersion[kind], 0, 0, 0, 0, 0)
}

func closeFrame(block []byte) {
	binary.LittleEndian.PutUint32(block[4:], crc32.Checksum(block[frameSize:], castagnoli))
}

// payload checks the frame of a block and gives what stands in it. The errors
// are ErrDamaged and ErrNewer.
func payload(block []byte, kind blockKind) (*reader, error) {
	if len(block) < frameSize || block[0] != 'R' || block[1] != byte(kind) || block[2] == 0 {
		return nil, ErrDamaged
	}
	if block[2] > blockVersion[kind] {
		return nil, fmt.Errorf("block format %d: %w", block[2], ErrNewer)
	}
	p := block[frameSize:]
	if block[3] != 0 || binary.LittleEndian.Uint32(block[4:]) != crc32.Checksum(p, castagnoli) {
		return nil, ErrDamaged
	}
	return &reader{b: p}, nil
}

// reader takes values off a payload. Past the first that is not there it gives
// zeros and is bad; nobody needs to look before the end.
type reader struct {
	b   []byte
	bad bool
	// seen holds the strings read so far, by which later ones are named; alone: none
	// is named.
	seen  []string
	alone bool
}

func (r *reader) fail() { r.b, r.bad = nil, true }

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.bad = true
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *reader) uvarint() uint64 {
	if len(r.b) > 0 && r.b[0] < 0x80 {
		v := r.b[0]
		r.b = r.b[1:]
		return uint64(v)
	}
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

// varint reads a signed number in zigzag form.
func (r *reader) varint() int64 {
	u := r.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

func (r *reader) int32() int32 {
	v := r.varint()
	if v < math.MinInt32 || v > math.MaxInt32 {
		r.fail()
		return 0
	}
	return int32(v)
}

func (r *reader) fixed64() uint64 {
	if len(r.b) < 8 {
		r.fail()
		return 0
	}
	v := binary.LittleEndian.Uint64(r.b)
	r.b = r.b[8:]
	return v
}

// count reads how many elements follow. Each takes a byte at least, so a count
// beyond what is left is damage, found before anything is made for it.
func (r *reader) count() int {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) bytes() []byte {
	n := r.count()
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

// text reads a string that writer.text wrote: 0 and the string itself where it
// is new, else its number among the new ones, the first being 1.
func (r *reader) text() string {
	if r.alone {
		return string(r.bytes())
	}
	i := r.uvarint()
	if i == 0 {
		s := string(r.bytes())
		r.seen = append(r.seen, s)
		return s
	}
	if i > uint64(len(r.seen)) {
		r.fail()
		return ""
	}
	return r.seen[i-1]
}

// end tells whether the payload was read whole and nothing was missing.
func (r *reader) end() error {
	if r.bad || len(r.b) > 0 {
		return ErrDamaged
	}
	return nil
}

// writer appends values to a payload.
type writer struct {
	b     []byte
	seen  map[string]uint64
	alone bool // every text is written in full
}

func (w *writer) byte(v byte)      { w.b = append(w.b, v) }
func (w *writer) uvarint(v uint64) { w.b = binary.AppendUvarint(w.b, v) }
func (w *writer) varint(v int64)   { w.uvarint(uint64(v)<<1 ^ uint64(v>>63)) }
func (w *writer) fixed64(v uint64) { w.b = binary.LittleEndian.AppendUint64(w.b, v) }

func (w *writer) bytes(s string) {
	w.uvarint(uint64(len(s)))
	w.b = append(w.b, s...)
}

// text writes a string once and refers to it after that: names of facts, dates
// and file names come again and again.
func (w *writer) text(s string) {
	if w.alone {
		w.bytes(s)
		return
	}
	if i, ok := w.seen[s]; ok {
		w.uvarint(i)
		return
	}
	if w.seen == nil {
		w.seen = map[string]uint64{}
	}
	w.seen[s] = uint64(len(w.seen) + 1)
	w.byte(0)
	w.bytes(s)
}

// flags packs booleans into a byte, the first lowest.
func flags(bits ...bool) byte {
	var f byte
	for i, b := range bits {
		if b {
			f |= 1 << i
		}
	}
	return f
}
