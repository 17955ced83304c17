package report

import "image/color"

// A Theme is a set of colours for diagrams.
type Theme int

const (
	Light Theme = iota // on white
	Dark               // on dark grey
)

type colours struct {
	background, text, muted, grid, roof color.Color

	ops []color.Color
}

// colours returns the colours of t. Those of operations are from the palette of Okabe and
// Ito, "Color Universal Design" (2008), which is safe for colour-blind readers: the five
// that stand out from the background.
func (t Theme) colours() colours {
	rgb := func(v uint32) color.Color { return color.RGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 0xff} }
	const ( // as they are named there
		orange, skyBlue, green, yellow = 0xe69f00, 0x56b4e9, 0x009e73, 0xf0e442
		blue, vermillion, purple       = 0x0072b2, 0xd55e00, 0xcc79a7
	)
	if t == Dark {
		return colours{
			rgb(0x16191d), rgb(0xe8eaed), rgb(0xa9b0b8), rgb(0x2c3137), rgb(0x596068),
			[]color.Color{rgb(skyBlue), rgb(orange), rgb(green), rgb(purple), rgb(yellow)},
		}
	}
	return colours{
		rgb(0xffffff), rgb(0x1b1f24), rgb(0x59626c), rgb(0xe4e7ea), rgb(0xbcc2c9),
		[]color.Color{rgb(blue), rgb(vermillion), rgb(green), rgb(purple), rgb(0)},
	}
}
