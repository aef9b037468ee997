package decode

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/gzip"
)

type look uint8

const (
	looksText look = iota
	looksGzip
	looksZip
	looksOLE
	looksTar
	looksBinary
)

var magics = []struct {
	magic string
	look  look
}{
	{"\x1f\x8b", looksGzip},
	{"PK\x03\x04", looksZip},
	{"PK\x05\x06", looksZip},
	{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", looksOLE},
	{"%PDF-", looksBinary},
	{"\x89PNG\r\n", looksBinary},
	{"\xff\xd8\xff", looksBinary},
	{"GIF8", looksBinary},
	{"{\\rtf", looksBinary},
	{"7z\xbc\xaf\x27\x1c", looksTar},
	{"Rar!\x1a\x07", looksTar},
	{"BZh91AY&SY", looksTar},
	{"\xfd7zXZ\x00", looksTar},
	{"\x28\xb5\x2f\xfd", looksTar},
}

// Packed tells whether a file that begins like head has to be unpacked before anything
// can be told of what is in it.
func Packed(head []byte) bool {
	looks := sniff(head)
	return looks == looksGzip || looks == looksZip
}

// sniff tells by its first bytes what a file is, text for want of better.
func sniff(head []byte) look {
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.look
		}
	}
	if len(head) > 262 && string(head[257:262]) == "ustar" {
		return looksTar
	}
	if bytes.HasPrefix(head, bomLE) || bytes.HasPrefix(head, bomBE) {
		return looksText
	}
	controls := 0
	for _, c := range head {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' {
			controls++
		}
	}
	if controls*10 > len(head) {
		return looksBinary
	}
	return looksText
}

// refuseOLE tells an old workbook from an encrypted new one: both come in the
// same container, and only the latter has a stream of this name.
func (f *File) refuseOLE() error {
	var name []byte
	for _, c := range []byte("EncryptedPackage") {
		name = append(name, c, 0)
	}
	buf := make([]byte, 64<<10)
	kept, r := 0, f.src.section(0)
	for {
		n, err := io.ReadFull(r, buf[kept:])
		if bytes.Contains(buf[:kept+n], name) {
			return unsupported("encrypted")
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return unsupported("xls")
		}
		if err != nil {
			return fmt.Errorf("read file: %w", err)
		}
		kept = copy(buf, buf[len(buf)-len(name):])
	}
}

// meter counts what comes out of an unpacker and stops it at the limits.
type meter struct {
	r      io.Reader
	lim    Limits
	packed int64
	n      int64 // may start above 0 with what was unpacked before
	from   int64 // n at the start of this stream
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.n += int64(n)
	if m.n > m.lim.Unpacked {
		return 0, tooLarge("unpacked", m.lim.Unpacked, m.n)
	}
	if own := m.n - m.from; own > m.lim.RatioFrom && own/m.lim.Ratio >= max(m.packed, 1) {
		return 0, tooLarge("ratio", m.lim.Ratio, own/max(m.packed, 1))
	}
	return n, err
}

func (f *File) openGzip() error {
	if f.format.Container != "" {
		return unsupported("archive")
	}
	f.format.Container = "gzip"
	z := &gzipMembers{src: bufio.NewReaderSize(f.src.section(0), 64<<10)}
	return f.unpack(z, f.src.size)
}

// gzipMembers reads one member after the other. Zeros behind the last one, the
// padding of tapes and block transfers, are left alone; anything else there may
// be a damaged member whose rows would be lost unseen, and is an error.
type gzipMembers struct {
	src *bufio.Reader
	z   *gzip.Reader
}

func (g *gzipMembers) Read(p []byte) (int, error) {
	for {
		if g.z == nil {
			z, err := gzip.NewReader(g.src)
			if err != nil {
				return 0, unexpected(err)
			}
			z.Multistream(false)
			g.z = z
		}
		n, err := g.z.Read(p)
		if !errors.Is(err, io.EOF) {
			return n, err
		}
		if n > 0 {
			return n, nil // the end of a member comes again, and is not the end of all
		}
		if err := g.toNext(); err != nil {
			return 0, err
		}
		if err := g.z.Reset(g.src); err != nil {
			return 0, unexpected(err)
		}
		g.z.Multistream(false)
	}
}

func (g *gzipMembers) toNext() error {
	for {
		c, err := g.src.ReadByte()
		if err != nil {
			return err
		}
		if c != 0 {
			return g.src.UnreadByte()
		}
	}
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// unpack writes what r yields to a temporary file and opens that.
func (f *File) unpack(r io.Reader, packed int64) error {
	tmp, err := os.CreateTemp(f.opt.TempDir, "rensa-unpack-*")
	if err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	f.temps = append(f.temps, tmp)
	m := &meter{r: r, lim: f.opt.Limits, packed: packed}
	buf := make([]byte, 128<<10)
	var size int64
	for {
		n, err := m.Read(buf)
		if _, werr := tmp.Write(buf[:n]); werr != nil {
			return fmt.Errorf("unpack: %w", werr)
		}
		size += int64(n)
		if errors.Is(err, io.EOF) {
			return f.open(&source{r: tmp, size: size})
		}
		if err != nil {
			return f.src.torn(err, "")
		}
	}
}

// maxDirectory bounds a ZIP's list of contents, which is held in memory.
const maxDirectory = 8 << 20

func (f *File) openZip() error {
	switch size, ok := f.directorySize(); {
	case !ok:
		return f.src.torn(io.ErrUnexpectedEOF, "")
	case size > maxDirectory:
		return unsupported("archive")
	}
	zr, err := zip.NewReader(f.src, f.src.size)
	if err != nil {
		return f.src.torn(err, "")
	}
	zr.RegisterDecompressor(zip.Deflate, newInflater)
	book, err := f.findWorkbook(zr)
	if book != nil || err != nil {
		f.book = book
		return err
	}
	var only *zip.File
	files := 0
	for _, e := range zr.File {
		if !companion(e.Name) {
			only = e
			files++
		}
	}
	if files != 1 || f.format.Container != "" {
		e := unsupported("archive")
		e.Args = e.Args.Arg("files", files)
		return e
	}
	f.format.Container = "zip"
	r, err := openEntry(only)
	if err != nil {
		return f.src.torn(err, "")
	}
	if err := f.unpack(r, int64(only.CompressedSize64)); err != nil {
		return err
	}
	return r.Close()
}

// companion tells whether an entry is a folder or what a desktop adds unasked.
func companion(name string) bool {
	base := name[strings.LastIndexByte(name, '/')+1:]
	return base == "" || base == ".DS_Store" || base == "Thumbs.db" || base == "desktop.ini" ||
		strings.HasPrefix(name, "__MACOSX/")
}

func openEntry(e *zip.File) (io.ReadCloser, error) {
	if e.Flags&1 != 0 {
		return nil, unsupported("encrypted")
	}
	r, err := e.Open()
	if errors.Is(err, zip.ErrAlgorithm) {
		return nil, unsupported("archive")
	}
	return r, err
}

// directorySize reads from a ZIP's last record how long its list of contents is,
// before the archive reader takes that list into memory.
func (f *File) directorySize() (size uint64, ok bool) {
	tail := make([]byte, min(f.src.size, 65557))
	if _, err := f.src.ReadAt(tail, f.src.size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return 0, false
	}
	i := bytes.LastIndex(tail, []byte("PK\x05\x06"))
	if i < 0 || i+22 > len(tail) {
		return 0, false
	}
	size = uint64(binary.LittleEndian.Uint32(tail[i+12:]))
	if size != 1<<32-1 || i < 20 || string(tail[i-20:i-16]) != "PK\x06\x07" {
		return size, true
	}
	var end [48]byte
	if _, err := f.src.ReadAt(end[:], int64(binary.LittleEndian.Uint64(tail[i-12:]))); err != nil {
		return 0, false
	}
	return binary.LittleEndian.Uint64(end[40:]), true
}
