package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"regexp"
	"strings"

	"github.com/gmind-go/compute/internal/units"
)

//go:embed page.html
var pageHTML string

// WriteHTML writes the report as a self-contained page without scripts: the answers in
// words, diagrams, all results, and the environment.
func (r *Report) WriteHTML(w io.Writer) error {
	funcs := template.FuncMap{
		"count": units.Count, "duration": units.Duration, "speed": speedCell, "memory": memory,
		"cache":   func(bytes int) string { return memory(int64(bytes)) },
		"command": command, "percent": percent, "bar": bar, "join": strings.Join,
		"breakable": breakable,
	}
	page, err := template.New("page").Funcs(funcs).Parse(pageHTML)
	if err != nil {
		return fmt.Errorf("report: the page: %w", err)
	}
	figures, err := r.figures()
	if err != nil {
		return err
	}
	return page.Execute(w, struct {
		*Report
		Warnings []string
		Summary  []topic
		Figures  [][]figure
		ByDevice [][]Result
	}{r, r.warnings(), r.summary(), figures, r.byDevice()})
}

// byDevice returns the results in order, split where the device changes.
func (r *Report) byDevice() [][]Result {
	var list [][]Result
	for i, res := range r.Results {
		if i == 0 || res.Device != r.Results[i-1].Device {
			list = append(list, nil)
		}
		list[len(list)-1] = append(list[len(list)-1], res)
	}
	return list
}

// breakable returns text as HTML that allows a line break after a parenthesis.
func breakable(text string) template.HTML {
	return template.HTML(strings.ReplaceAll(template.HTMLEscapeString(text), "(", "(<wbr>"))
}

// speedCell returns the speed of a result, with its unit if that is not the one of the column.
func speedCell(r Result) string {
	v, unit := r.speed()
	if unit != "GB/s" {
		return units.Digits(v) + " " + unit
	}
	return units.Digits(v)
}

// A figure is a diagram of the page.
type figure struct {
	Description string
	SVG         template.HTML // safe, since vgsvg escapes text
}

// figures returns the diagrams, by device.
func (r *Report) figures() (devices [][]figure, err error) {
	last := ""
	for _, p := range r.panels() {
		svg, err := p.svg()
		if err != nil {
			return nil, err
		}
		if devices == nil || p.device != last {
			devices = append(devices, nil)
			last = p.device
		}
		devices[len(devices)-1] = append(devices[len(devices)-1], figure{p.description(), template.HTML(svg)})
	}
	return devices, nil
}

// bar returns the width of a bar for a fraction, in percent.
func bar(fraction float64) string { return fmt.Sprintf("%.1f", 100*min(max(fraction, 0), 1)) }

// plain matches an argument that a shell does not change.
var plain = regexp.MustCompile(`^[\w@%+=:,./-]+$`)

// command returns arguments as typed in a shell.
func command(args []string) string {
	var words []string
	for _, arg := range args {
		if !plain.MatchString(arg) {
			arg = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
		words = append(words, arg)
	}
	return strings.Join(words, " ")
}
