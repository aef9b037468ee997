package desk

import (
	"time"

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/au"
	"github.com/rickar/cal/v2/be"
	"github.com/rickar/cal/v2/br"
	"github.com/rickar/cal/v2/ca"
	"github.com/rickar/cal/v2/de"
	"github.com/rickar/cal/v2/es"
	"github.com/rickar/cal/v2/fr"
	"github.com/rickar/cal/v2/gb"
	"github.com/rickar/cal/v2/ie"
	"github.com/rickar/cal/v2/it"
	"github.com/rickar/cal/v2/jp"
	"github.com/rickar/cal/v2/nl"
	"github.com/rickar/cal/v2/pl"
	"github.com/rickar/cal/v2/se"
	"github.com/rickar/cal/v2/us"

	"rensa/pkg/policy"
)

// Window is when the units of an order are expected to have left.
type Window struct {
	// MinDays and MaxDays are working days of the store's country, from the
	// day after the order is placed.
	MinDays, MaxDays int
	// Peak says that the days are those of the busy time.
	Peak bool
	// Holidays says that the country's public holidays were counted; without
	// them only its weekends are.
	Holidays bool
	// From and To are the first and the last day, at midnight UTC.
	From, To time.Time
}

// holidays are the countries whose public holidays are known. Australia's are
// those of its capital territory.
var holidays = map[string][]*cal.Holiday{
	"AU": au.HolidaysACT, "BE": be.Holidays, "BR": br.Holidays, "CA": ca.Holidays, "DE": de.Holidays, "ES": es.Holidays,
	"FR": fr.Holidays, "GB": gb.Holidays, "IE": ie.Holidays, "IT": it.Holidays, "JP": jp.Holidays, "NL": nl.Holidays,
	"PL": pl.Holidays, "SE": se.Holidays, "US": us.Holidays,
}

// weekends that are not Saturday and Sunday.
var weekends = map[string][2]time.Weekday{
	"SA": {time.Friday, time.Saturday},
	"EG": {time.Friday, time.Saturday},
}

// expected gives the window of an order placed on a day, in the store's zone.
func expected(store policy.Store, placed time.Time) Window {
	w := Window{MinDays: store.ExpectedDaysMin, MaxDays: store.ExpectedDaysMax, Peak: peak(placed)}
	if w.Peak {
		w.MaxDays = store.ExpectedDaysPeakMax
	}
	c := cal.NewBusinessCalendar()
	days, known := holidays[store.Country]
	c.AddHoliday(days...)
	w.Holidays = known
	if off, ok := weekends[store.Country]; ok {
		for day := time.Sunday; day <= time.Saturday; day++ {
			c.SetWorkday(day, day != off[0] && day != off[1])
		}
	}
	w.From, w.To = workday(c, placed, w.MinDays), workday(c, placed, w.MaxDays)
	return w
}

// workday is the n-th working day after a day.
func workday(c *cal.BusinessCalendar, from time.Time, n int) time.Time {
	day := time.Date(from.Year(), from.Month(), from.Day(), 0, 0, 0, 0, time.UTC)
	for n > 0 {
		if day = day.AddDate(0, 0, 1); c.IsWorkday(day) {
			n--
		}
	}
	return day
}

// peak tells whether a day is in the busy time: October to December, and Prime
// week, whose date is told late each year; it is assumed to be that of the second
// Tuesday of July.
func peak(day time.Time) bool {
	if day.Month() >= time.October {
		return true
	}
	if day.Month() != time.July {
		return false
	}
	first := time.Date(day.Year(), time.July, 1, 0, 0, 0, 0, time.UTC)
	tuesday := 1 + (int(time.Tuesday)-int(first.Weekday())+7)%7 + 7
	return day.Day() >= tuesday-1 && day.Day() <= tuesday+5
}
