package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
)

// texts draws a run as SVG, parses it, and returns all text in it.
func texts(t *testing.T, r *Report) []string {
	t.Helper()
	var b bytes.Buffer
	if err := r.WritePlot(&b, "svg"); err != nil {
		t.Fatal(err)
	}
	var list []string
	inText := false
	d := xml.NewDecoder(&b)
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatalf("the drawing is no XML: %v", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			inText = token.Name.Local == "text"
		case xml.EndElement:
			inText = false
		case xml.CharData:
			if inText {
				list = append(list, string(token))
			}
		}
	}
}

// pixels draws, as PNG, the panel of a run that has the result with that index.
func pixels(t *testing.T, r *Report, i int) *image.RGBA {
	t.Helper()
	part := *r
	part.Results = nil
	for _, res := range r.Results {
		if at := r.Results[i]; res.Device == at.Device && res.Data == at.Data && res.Cache == at.Cache {
			part.Results = append(part.Results, res)
		}
	}
	var b bytes.Buffer
	if err := part.WritePlot(&b, "png"); err != nil {
		t.Fatal(err)
	}
	return decode(t, b.Bytes())
}

func decode(t *testing.T, file []byte) *image.RGBA {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if rgba, ok := img.(*image.RGBA); ok {
		return rgba
	}
	rgba := image.NewRGBA(img.Bounds())
	draw.Draw(rgba, rgba.Bounds(), img, img.Bounds().Min, draw.Src)
	return rgba
}

// colourCount returns how many pixels are of that colour.
func colourCount(img *image.RGBA, want color.Color) int {
	c := color.RGBAModel.Convert(want).(color.RGBA)
	n := 0
	for i := 0; i < len(img.Pix); i += 4 {
		if img.Pix[i] == c.R && img.Pix[i+1] == c.G && img.Pix[i+2] == c.B {
			n++
		}
	}
	return n
}

func hasPrefix(list []string, prefix string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.HasPrefix(s, prefix) })
}

// TestLegends: every device is a title, and every operation is in the legend of each of its
// panels.
func TestLegends(t *testing.T) {
	r := sample(t)
	got := texts(t, r)
	for _, d := range r.Devices {
		if !slices.Contains(got, d.Name) {
			t.Errorf("%s is no title", d.Name)
		}
	}
	ops := map[string]bool{} // by panel
	for _, res := range r.Results {
		ops[res.Device+res.Data+res.Cache+" "+res.Op] = true
	}
	want := map[string]int{}
	for key := range ops {
		want[key[strings.LastIndex(key, " ")+1:]]++
	}
	if len(want) != 7 {
		t.Fatalf("the sample has operations %v", want)
	}
	for op, n := range want {
		found := 0
		for _, s := range got {
			if s == op || strings.HasPrefix(s, op+" ") {
				found++
			}
		}
		if found != n {
			t.Errorf("%s is in %d legends and should be in %d", op, found, n)
		}
	}
	for _, want := range []string{"64Mi", "L1", "L2", "L3", "GB/s", "elements", "hollow: doubtful", "copy = 100 %", "transfer = 100 %", "data on the host, transfers included, cold caches"} {
		if !slices.Contains(got, want) {
			t.Errorf("the drawing does not say %q", want)
		}
	}
	img := pixels(t, r, len(r.Results)-1) // it has all
	for i, op := range operationColours {
		if n := colourCount(img, op); n < 100 {
			t.Errorf("colour %d of operations has %d pixels", i, n)
		}
	}
	if n := colourCount(img, roofColour); n < 2000 {
		t.Errorf("the roofs have %d pixels", n)
	}
	if n := colourCount(img, color.White); n < img.Bounds().Dx()*img.Bounds().Dy()/2 {
		t.Errorf("the background has %d pixels", n)
	}
}

// TestPlotOf: unusual reports can be drawn, in both formats.
func TestPlotOf(t *testing.T) {
	keep := func(keep func(Result) bool) func(*Report) {
		return func(r *Report) {
			r.Results = slices.DeleteFunc(r.Results, func(res Result) bool { return !keep(res) })
		}
	}
	for name, c := range map[string]struct {
		change func(*Report)
		want   []string // texts
		not    []string // beginnings of texts
	}{
		"one size": {keep(func(res Result) bool { return res.N == 1<<10 }), []string{"1Ki", "512", "2Ki"}, []string{"64Mi"}},
		"an odd size": {func(r *Report) {
			r.Results = r.Results[:2]
			r.Results[0].N, r.Results[1].N = 1000, 1000
		}, []string{"512", "1Ki"}, []string{"2Ki"}},
		"no copy":    {keep(func(res Result) bool { return res.Op != Copy }), []string{"forward 97–98 %"}, []string{"copy"}},
		"copy alone": {keep(func(res Result) bool { return res.Op == Copy }), []string{"copy = 100 %"}, []string{"forward"}},
		"CPU alone":  {keep(func(res Result) bool { return res.Device == "cpu avx512" }), []string{"cpu avx512"}, []string{"opencl", "transfer"}},
		"no doubtful results": {func(r *Report) {
			for i := range r.Results {
				r.Results[i].Doubts = nil
			}
		}, nil, []string{"hollow"}},
		"a wrong result": {func(r *Report) {
			r.Results = r.Results[:4]
			r.Results[1].Verified = false
		}, []string{"hollow: doubtful"}, nil},
		"an unknown device and operation": {func(r *Report) {
			r.Devices, r.Results[3].Op = nil, "softmax"
		}, []string{"cpu avx512", "softmax 96 %"}, []string{"L1"}},
		"hundreds of sizes": {func(r *Report) {
			all := r.Results
			r.Results = nil
			for i := range 60 {
				for _, res := range all {
					res.N += res.N / 60 * i
					r.Results = append(r.Results, res)
				}
			}
		}, []string{"4Ki", "forward 97–98 %"}, nil},
		"values that are not finite": {func(r *Report) {
			r.Results[0].GBps, r.Results[1].GBps, r.Results[2].LowNS, r.Results[3].HighNS = math.Inf(1), math.NaN(), 0, math.Inf(1)
			r.Results[4].N = 0
		}, []string{"cpu avx512"}, nil},
		"names that cannot be printed": {func(r *Report) {
			for i := range r.Results {
				r.Results[i].Device = "<b>&\x00\xff\n" + strings.Repeat("long ", 40)
			}
		}, []string{"<b>& ? long"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := sample(t)
			c.change(r)
			got := texts(t, r)
			for _, want := range c.want {
				if !hasPrefix(got, want) {
					t.Errorf("the drawing does not say %q: %q", want, got)
				}
			}
			for _, not := range c.not {
				if hasPrefix(got, not) {
					t.Errorf("the drawing says %q: %q", not, got)
				}
			}
			img := pixels(t, r, len(r.Results)-1)
			background := colourCount(img, color.White)
			if all := img.Bounds().Dx() * img.Bounds().Dy(); background > all*99/100 {
				t.Errorf("%d of %d pixels are background", background, all)
			}
		})
	}
}

// TestHollow: doubtful results have hollow marks.
func TestHollow(t *testing.T) {
	r := sample(t)
	r.Results[1].Doubts = []string{"the machine was busy"} // so that the legend is the same
	i := slices.IndexFunc(r.Results, func(res Result) bool { return res.Op == "backward" && res.N == 64<<20 })
	believed := pixels(t, r, i)
	r.Results[i].Doubts = r.Results[1].Doubts
	green := operationColours[2]
	if a, b := colourCount(believed, green), colourCount(pixels(t, r, i), green); b > a-50 {
		t.Errorf("backward has %d pixels, and %d when one of its results is doubtful", a, b)
	}
}

func TestNothingToPlot(t *testing.T) {
	r := sample(t)
	r.Results = nil
	if err := r.WritePlot(io.Discard, "svg"); err == nil || !strings.Contains(err.Error(), "no results") {
		t.Errorf("without results, the error is %v", err)
	}
	if err := sample(t).WritePlot(io.Discard, "pdf"); err == nil || !strings.Contains(err.Error(), `"pdf", which should be svg or png`) {
		t.Errorf("with format pdf, the error is %v", err)
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		high float64
		want string
	}{
		{0.0031, "0 0.001 0.002 0.003"},
		{6, "0 1 2 3 4 5 6"},
		{27, "0 5 10 15 20 25"},
		{300, "0 50 100 150 200 250 300"},
		{4593, "0 1000 2000 3000 4000"},
	} {
		var got []string
		for _, tick := range roundTicks(0, c.high) {
			got = append(got, tick.Label)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("up to %v: ticks %s, and should be %s", c.high, s, c.want)
		}
	}
	for _, c := range []struct {
		low, high float64
		want      string
	}{
		{512, 2048, "512 1Ki 2Ki"},
		{0.5, 2, "1 2"},
		{1 << 10 / 1.3, 64 << 20 * 1.3, "1Ki 4Ki 16Ki 64Ki 256Ki 1Mi 4Mi 16Mi 64Mi"},
		{1, 1 << 20, "1 16 256 4Ki 64Ki 1Mi"},
	} {
		var got []string
		for _, tick := range countTicks(c.low, c.high) {
			if tick.Label != "" {
				got = append(got, tick.Label)
			}
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("from %v to %v: ticks %s, and should be %s", c.low, c.high, s, c.want)
		}
	}
}

func TestArrange(t *testing.T) {
	for devices, want := range map[string]string{
		"a":      "[(0,0)] 1 1",
		"aabbb":  "[(0,0) (1,0) (0,1) (1,1) (2,1)] 3 2",
		"aaaabc": "[(0,0) (1,0) (2,0) (0,1) (0,2) (0,3)] 3 4",
	} {
		var panels []panel
		for _, d := range devices {
			panels = append(panels, panel{device: string(d)})
		}
		places, columns, rows := arrange(panels)
		if got := fmt.Sprint(places, columns, rows); got != want {
			t.Errorf("%s: %s, and should be %s", devices, got, want)
		}
	}
}
