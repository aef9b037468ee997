package inventory

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// maxTitleWords is how many words of a title can be found, so that one segment is
// bounded in memory whatever titles hold.
const maxTitleWords = 64

// finder keeps the index of a snapshot once it is asked for.
type finder struct {
	mu    sync.Mutex
	index *wordIndex
	old   []*wordIndex // replaced, perhaps still in use
}

// get gives the index, from its file where there is one. Once begun it is made to
// the end: whoever asked may be gone by then, and the next one needs it.
func (f *finder) get(ctx context.Context, s *Snapshot) (*wordIndex, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.index != nil {
		return f.index, nil
	}
	if s.file != nil {
		x, err := openWords(s.file.Name()+WordsSuffix, s)
		if err == nil {
			f.index = x
			return x, nil
		}
	}
	x, err := s.indexWords(context.WithoutCancel(ctx))
	f.index = x
	return x, err
}

// renew makes the index anew, unless somebody else did it meanwhile.
func (f *finder) renew(ctx context.Context, s *Snapshot, broken *wordIndex) (*wordIndex, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.index != broken {
		return f.index, nil
	}
	x, err := s.indexWords(context.WithoutCancel(ctx))
	if err != nil {
		return nil, err
	}
	f.old, f.index = append(f.old, broken), x
	return x, nil
}

func (f *finder) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := f.index.close()
	for _, x := range f.old {
		err = errors.Join(err, x.close())
	}
	return err
}

// indexWords makes the index of all items: beside the snapshot's file where that can
// be written to, else in memory.
func (s *Snapshot) indexWords(ctx context.Context) (*wordIndex, error) {
	if s.file != nil {
		x, err := s.indexWordsFile(ctx)
		if err == nil || ctx.Err() != nil || errors.Is(err, ErrFormat) {
			return x, err
		}
	}
	var b bytes.Buffer
	x, err := s.writeWords(ctx, &b)
	if err != nil {
		return nil, err
	}
	x.r = bytes.NewReader(b.Bytes())
	return x, nil
}

// indexWordsFile writes the index aside and renames it, so that another process
// never opens half of one. It is not synced: its checksums tell what a crash lost.
func (s *Snapshot) indexWordsFile(ctx context.Context) (x *wordIndex, err error) {
	path := s.file.Name() + WordsSuffix
	f, err := os.CreateTemp(filepath.Dir(path), ".words-*")
	if err != nil {
		return nil, fmt.Errorf("index of words: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close(), os.Remove(f.Name()))
		}
	}()
	if x, err = s.writeWords(ctx, f); err != nil {
		return nil, err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return nil, fmt.Errorf("index of words: %w", err)
	}
	x.r, x.file = f, f
	removeOthers(path)
	return x, nil
}

// writeWords makes the segments, two at a time, and writes them as they come.
func (s *Snapshot) writeWords(ctx context.Context, w io.Writer) (*wordIndex, error) {
	x := &wordIndex{segments: make([]segmentPlace, (s.Len()+segmentItems-1)/segmentItems)}
	head := binary.LittleEndian.AppendUint64([]byte(wordsMagic), wordsVersion)
	if _, err := w.Write(head); err != nil {
		return nil, fmt.Errorf("index of words: %w", err)
	}
	var mu sync.Mutex
	at, next := int64(len(head)), 0
	var failed error
	work := func() {
		b := &segmentBuilder{s: s}
		for {
			mu.Lock()
			k := next
			next++
			stop := failed != nil || k >= len(x.segments)
			mu.Unlock()
			if stop {
				return
			}
			body, items, err := b.build(k)
			mu.Lock()
			if err == nil {
				err = ctx.Err()
			}
			if err == nil {
				x.segments[k] = segmentPlace{at, uint32(len(body)), crc32.Checksum(body, castagnoli), uint32(items)}
				at += int64(len(body))
				_, err = w.Write(body)
			}
			failed = errors.Join(failed, err)
			mu.Unlock()
		}
	}
	var wg sync.WaitGroup
	for range min(2, len(x.segments)) {
		wg.Go(work)
	}
	wg.Wait()
	if failed == nil {
		_, failed = w.Write(x.directory(s))
	}
	if failed != nil {
		return nil, fmt.Errorf("index of words: %w", failed)
	}
	return x, nil
}

// segmentBuilder makes one segment after the other; its memory is used again.
type segmentBuilder struct {
	s      *Snapshot
	seg    segment
	words  map[string]*posting
	folded []byte
}

// posting is the list of the items that have one word.
type posting struct {
	list []byte
	last uint32
}

func (b *segmentBuilder) build(k int) (body []byte, items int, err error) {
	b.seg.keys, b.seg.lines = append(b.seg.keys[:0], '\n'), b.seg.lines[:0]
	b.words = make(map[string]*posting, len(b.words))
	d := &b.s.side
	items = min(segmentItems, b.s.Len()-k*segmentItems)
	var block sideBlock
	for n := 0; n < items; n += sideGroup {
		if err := d.read((k*segmentItems+n)/sideGroup, &block); err != nil {
			return nil, 0, err
		}
		for c := 0; c < len(block.cells); c += 2 {
			b.add(uint32(n+c/2), int32(k*segmentItems+n+c/2), block.cells[c], block.cells[c+1])
		}
		if len(b.seg.keys) > math.MaxInt32 {
			return nil, 0, fmt.Errorf("segment %d is too large", k)
		}
	}
	b.gather()
	return b.seg.bytes(), items, nil
}

func (b *segmentBuilder) add(n uint32, item int32, asin, title []byte) {
	sku, fnsku := b.s.keys(item)
	// The line begins behind the line end before it, so that what stands before a
	// key can be looked at.
	b.seg.lines = append(b.seg.lines, uint32(len(b.seg.keys)))
	for i, key := range [][]byte{sku, fnsku, asin} {
		b.seg.keys = foldText(b.seg.keys, key)
		b.seg.keys = append(b.seg.keys, "\x1f\x1f\n"[i])
	}
	b.folded = foldText(b.folded[:0], title)
	count := 0
	tokens(b.folded, func(word []byte, _ bool) {
		if count++; count > maxTitleWords {
			return
		}
		p := b.words[string(word)]
		if p == nil {
			p = &posting{}
			b.words[string(word)] = p
		} else if p.last == n {
			return
		}
		p.list = binary.AppendUvarint(p.list, uint64(n-p.last))
		p.last = n
	})
}

// gather puts the words in order.
func (b *segmentBuilder) gather() {
	g := &b.seg
	g.vocabulary, g.postings = g.vocabulary[:0], g.postings[:0]
	g.starts, g.posts = g.starts[:0], g.posts[:0]
	all := make([]string, 0, len(b.words))
	for w := range b.words {
		all = append(all, w)
	}
	slices.Sort(all)
	for _, w := range all {
		g.starts = append(g.starts, uint32(len(g.vocabulary)))
		g.posts = append(g.posts, uint32(len(g.postings)))
		g.vocabulary = append(append(g.vocabulary, w...), '\n')
		g.postings = append(g.postings, b.words[w].list...)
	}
	g.starts = append(g.starts, uint32(len(g.vocabulary)))
	g.posts = append(g.posts, uint32(len(g.postings)))
}
