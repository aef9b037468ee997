package web

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are the figures of this server. They name routes and no merchant, so
// that whoever reads them learns of nobody's business.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	uploaded prometheus.Counter
	signIns  *prometheus.CounterVec
	live     prometheus.Gauge
}

func newMetrics(version string) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rensa_http_requests_total", Help: "Requests by route and status.",
		}, []string{"route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "rensa_http_request_seconds", Help: "Time until the answer was sent, by route.",
			Buckets: []float64{.005, .02, .1, .5, 2, 10, 60},
		}, []string{"route"}),
		uploaded: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "rensa_http_uploaded_bytes_total", Help: "Bytes of files that were taken in by page and API.",
		}),
		signIns: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rensa_sign_ins_total", Help: "Attempts to sign in by result.",
		}, []string{"result"}),
		live: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "rensa_http_live", Help: "Pages that are being told of progress.",
		}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "rensa_build_info", Help: "1, with the version.", ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	m.registry.MustRegister(m.requests, m.seconds, m.uploaded, m.signIns, m.live, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) request(pattern, method string, status int, took time.Duration) {
	if pattern == "" {
		pattern = method + " ?"
	}
	if status == 0 {
		status = http.StatusOK
	}
	m.requests.WithLabelValues(pattern, strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(pattern).Observe(took.Seconds())
}

// handler answers with the figures, those of the work list read at that moment.
func (m *metrics) handler(s *Server) http.Handler {
	m.registry.MustRegister(&workCollector{s})
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorLog: promLog{s}})
}

type promLog struct{ s *Server }

func (l promLog) Println(v ...any) { l.s.Log.Warn().Interface("what", v).Msg("metrics") }

var (
	filesOpen   = prometheus.NewDesc("rensa_files_open", "Files that are not done yet.", []string{"state"}, nil)
	filesFailed = prometheus.NewDesc("rensa_files_failing", "Files among them that failed and are tried again.", nil, nil)
	filesOldest = prometheus.NewDesc("rensa_files_oldest_seconds", "Age of the oldest of them.", nil, nil)
)

// workCollector counts the work list whenever it is asked.
type workCollector struct{ s *Server }

func (c *workCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- filesOpen
	ch <- filesFailed
	ch <- filesOldest
}

func (c *workCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	open, err := c.s.Ledger.Unfinished(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(filesOpen, err)
		return
	}
	states := map[string]int{"claimed": 0, "committed": 0, "published": 0}
	failing, oldest := 0, time.Duration(0)
	for i := range open {
		states[open[i].State]++
		if open[i].Failures > 0 {
			failing++
		}
		oldest = max(oldest, c.s.Now().Sub(open[i].Claimed))
	}
	for state, n := range states {
		ch <- prometheus.MustNewConstMetric(filesOpen, prometheus.GaugeValue, float64(n), state)
	}
	ch <- prometheus.MustNewConstMetric(filesFailed, prometheus.GaugeValue, float64(failing))
	ch <- prometheus.MustNewConstMetric(filesOldest, prometheus.GaugeValue, oldest.Seconds())
}
