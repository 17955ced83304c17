//go:build !js

package report

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/gmind-go/compute/internal/testenv"
)

// shown is what a browser shows of the page.
type shown struct {
	Width, InnerWidth int
	Rows              []struct{ Device, Op, N, Data, Cache string }
	Figures           []struct{ X, Y, Width, Height float64 } // of the visible diagrams
	Boxes             []struct{ Scroll, Client int }          // of elements that scroll
	Cut               []string                                // texts that do not fit
	Columns           []string                                // of the table of results that are visible without scrolling
	HeadingLines      int                                     // of the slope in the heading
}

const askShown = `({
	Width: document.documentElement.scrollWidth,
	InnerWidth: innerWidth,
	Rows: [...document.querySelectorAll('table.results tr[data-op]')].map(tr => ({
		Device: tr.dataset.device, Op: tr.dataset.op, N: tr.dataset.n, Data: tr.dataset.data, Cache: tr.dataset.cache})),
	Figures: [...document.querySelectorAll('figure svg')].filter(svg => svg.checkVisibility()).map(svg => {
		const r = svg.getBoundingClientRect();
		return {X: r.x + scrollX, Y: r.y + scrollY, Width: r.width, Height: r.height}}),
	Boxes: [...document.querySelectorAll('.scroll')].map(e => ({Scroll: e.scrollWidth, Client: e.clientWidth})),
	Cut: [...document.querySelectorAll('h1, h2, h3, p, caption, .device span, .facts td')].filter(e => {
		const r = e.getBoundingClientRect();
		return r.left < 0 || r.right > innerWidth || e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0}).map(e => e.textContent),
	Columns: [...document.querySelectorAll('table.results thead th')].filter(e => {
		const box = e.closest('.scroll').getBoundingClientRect();
		return e.getBoundingClientRect().right <= box.left + e.closest('.scroll').clientWidth + 1}).map(e => e.textContent),
	HeadingLines: (() => {
		const walk = document.createTreeWalker(document.querySelector('h1'), NodeFilter.SHOW_TEXT);
		const text = 'negative_slope=0.01', tops = new Set();
		for (let node; node = walk.nextNode();) {
			const at = node.data.indexOf(text);
			if (at < 0) continue;
			const range = document.createRange();
			range.setStart(node, at);
			range.setEnd(node, at + text.length);
			[...range.getClientRects()].forEach(r => tops.add(r.top));
		}
		return tops.size})(),
})`

// TestBrowser: a browser shows the whole page, wide and narrow, light and dark, without
// messages on its console.
func TestBrowser(t *testing.T) {
	ctx := startBrowser(t)
	r := sample(t)
	r.Activation = "LeakyReLU(negative_slope=0.01)"
	page := writePage(t, r)
	for _, width := range []int64{1280, 400, 360} {
		brightness := map[string]float64{}
		for scheme, background := range map[string]color.RGBA{"light": {255, 255, 255, 255}, "dark": {23, 23, 23, 255}} {
			t.Run(fmt.Sprintf("%d %s", width, scheme), func(t *testing.T) {
				got, screen := show(t, ctx, page, width, scheme)
				if got.InnerWidth != int(width) || got.Width > got.InnerWidth {
					t.Errorf("the page is %d wide in a window of %d", got.Width, got.InnerWidth)
				}
				if len(got.Rows) != len(r.Results) {
					t.Fatalf("%d rows of %d results", len(got.Rows), len(r.Results))
				}
				for i, res := range r.Results {
					row := got.Rows[i]
					if row.Device != res.Device || row.Op != res.Op || row.N != fmt.Sprint(res.N) || row.Data != res.Data || row.Cache != res.Cache {
						t.Errorf("row %d is %v", i, row)
					}
				}
				if len(got.Cut) > 0 {
					t.Errorf("text is cut off: %q", got.Cut)
				}
				if got.HeadingLines != 1 {
					t.Errorf("the slope in the heading is on %d lines", got.HeadingLines)
				}
				if want := []string{"operation", "elements", "data", "cache", "GB/s"}; len(got.Columns) < len(want) || !slices.Equal(got.Columns[:len(want)], want) {
					t.Errorf("without scrolling, the table shows %q", got.Columns)
				}
				if len(got.Boxes) != 1 || width == 360 && got.Boxes[0].Scroll <= got.Boxes[0].Client {
					t.Errorf("elements that scroll: %v", got.Boxes)
				}
				if len(got.Figures) != len(r.panels()) {
					t.Fatalf("%d drawings of %d", len(got.Figures), len(r.panels()))
				}
				for i, f := range got.Figures {
					if f.Width < 300 || f.Height < 200 {
						t.Errorf("drawing %d is %v", i, f)
					}
					where := image.Rect(int(f.X), int(f.Y), int(f.X+f.Width), int(f.Y+f.Height))
					if corner := screen.At(where.Min.X+1, where.Min.Y+1); corner != background {
						t.Errorf("drawing %d is on %v and should be on %v", i, corner, background)
					}
					if part := drawn(screen, where); part < 0.02 || part > 0.5 {
						t.Errorf("%.3f of drawing %d differs from its background", part, i)
					}
				}
				brightness[scheme] = mean(screen)
			})
		}
		if len(brightness) != 2 || brightness["light"] < 200 || brightness["dark"] > 60 {
			t.Errorf("%d wide, the brightness is %v", width, brightness)
		}
	}
}

// startBrowser starts a browser for the test, and returns the context of its tab.
func startBrowser(t *testing.T) context.Context {
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(testenv.Browser(t)),
		chromedp.UserDataDir(t.TempDir()),
	}
	for _, flag := range []string{
		"headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
		"disable-component-update", "disable-sync", "hide-scrollbars", "disable-dev-shm-usage",
	} {
		options = append(options, chromedp.Flag(flag, true))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting the browser: %v", err)
	}
	return ctx
}

// writePage writes the page to a file, and returns its URL.
func writePage(t *testing.T, r *Report) string {
	file, err := os.Create(filepath.Join(t.TempDir(), "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := r.WriteHTML(file); err != nil {
		t.Fatal(err)
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(file.Name())}).String()
}

// show loads the page, and returns what the browser shows and a picture of the whole page.
// Messages on the console are errors.
func show(t *testing.T, ctx context.Context, page string, width int64, scheme string) (got shown, screen *image.RGBA) {
	t.Helper()
	const end = "the page is loaded"
	console := chromedp.Console(ctx)
	prefer := func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return chromedp.Void{}, err
	}
	err := chromedp.Do(ctx,
		chromedp.EmulateViewport(width, 800),
		prefer,
		chromedp.Navigate(page),
		chromedp.Evaluate[chromedp.Void](`console.log("`+end+`")`),
	)
	if err != nil {
		t.Fatal(err)
	}
	for message, err := range console {
		if err != nil {
			t.Fatal(err)
		}
		if message.Text == end {
			break
		}
		t.Errorf("the browser says: %v", message)
	}
	got, err = chromedp.Run(ctx, chromedp.Evaluate[shown](askShown))
	if err != nil {
		t.Fatal(err)
	}
	data, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("SCREENSHOTS"); dir != "" { // a directory for pictures to look at
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("report-%d-%s.png", width, scheme)), data, 0o666); err != nil {
			t.Error(err)
		}
	}
	return got, decode(t, data)
}

// drawn returns the fraction of a picture that differs from its upper left corner.
func drawn(img *image.RGBA, where image.Rectangle) float64 {
	corner := img.RGBAAt(where.Min.X+1, where.Min.Y+1)
	n, all := 0, 0
	for y := where.Min.Y + 1; y < where.Max.Y; y++ {
		for x := where.Min.X + 1; x < where.Max.X; x++ {
			all++
			if img.RGBAAt(x, y) != corner {
				n++
			}
		}
	}
	return float64(n) / float64(all)
}

// mean returns the brightness of every 16th pixel of a picture, from 0 to 255.
func mean(img *image.RGBA) float64 {
	sum, all := 0, 0
	for i := 0; i < len(img.Pix); i += 16 * 4 {
		sum += int(color.GrayModel.Convert(color.RGBA{img.Pix[i], img.Pix[i+1], img.Pix[i+2], 255}).(color.Gray).Y)
		all++
	}
	return float64(sum) / float64(all)
}
