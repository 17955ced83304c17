package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"regexp"
	"strings"
)

//go:embed page.html
var pageHTML string

// WriteHTML writes the run as a page in one file, which needs nothing from elsewhere
// and runs no script: the answers in words, diagrams, every result, the environment.
func (r *Report) WriteHTML(w io.Writer) error {
	funcs := template.FuncMap{
		"count": Count, "duration": Duration, "rate": rate, "memory": memory,
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

// byDevice returns the results in order, divided where the device changes.
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

// breakable returns text for a page, in which a line may be broken after a parenthesis.
func breakable(text string) template.HTML {
	return template.HTML(strings.ReplaceAll(template.HTMLEscapeString(text), "(", "(<wbr>"))
}

// A figure is a diagram in both themes; the page shows the one that the reader has.
type figure struct {
	Description string
	Light, Dark template.HTML // safe, since the drawing escapes what it writes
}

// figures returns those of each device.
func (r *Report) figures() ([][]figure, error) {
	var devices [][]figure
	last := ""
	for _, p := range r.panels() {
		light, err := p.svg(Light)
		if err != nil {
			return nil, err
		}
		dark, err := p.svg(Dark)
		if err != nil {
			return nil, err
		}
		if len(devices) == 0 || p.device != last {
			devices = append(devices, nil)
			last = p.device
		}
		f := figure{p.description(), template.HTML(light), template.HTML(dark)}
		devices[len(devices)-1] = append(devices[len(devices)-1], f)
	}
	return devices, nil
}

// memory returns a number of bytes with a binary unit; 0 is not known.
func memory(bytes int64) string {
	if bytes == 0 {
		return "not known"
	}
	v, unit := float64(bytes), "bytes"
	for _, larger := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if v < 1024 {
			break
		}
		v, unit = v/1024, larger
	}
	return fmt.Sprintf("%.4g %s", v, unit)
}

// percent returns a fraction as a whole number of percent.
func percent(fraction float64) string { return fmt.Sprintf("%.0f %%", 100*fraction) }

// bar returns a fraction as the width of a bar, in percent.
func bar(fraction float64) string { return fmt.Sprintf("%.1f", 100*min(max(fraction, 0), 1)) }

// plain is what a shell takes as it is.
var plain = regexp.MustCompile(`^[\w@%+=:,./-]+$`)

// command returns arguments as they are typed in a shell.
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
