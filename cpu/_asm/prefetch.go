package main

import (
	"log"
	"strings"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	avo "github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A prefetching is a function that begins to move elements to the caches. fetch writes the
// instruction for the line at AX.
type prefetching struct {
	name, purpose string
	fetch         func(c *build.Context)
}

var prefetches = []prefetching{
	{"prefetch", "to be read", func(c *build.Context) { c.PREFETCHT0(operand.Mem{Base: reg.RAX}) }},
	{"prefetchWrite", "to be written", func(c *build.Context) {
		c.Comment("PREFETCHW (AX), which Go's assembler does not have.")
		for _, code := range []operand.U8{0x0f, 0x0d, 0x08} {
			c.Instruction(&avo.Instruction{Opcode: "BYTE", Operands: []operand.Op{code}, Inputs: []operand.Op{reg.RAX}})
		}
	}},
}

func (p prefetching) write(set isa) *avo.Function {
	c := build.NewContext()
	name := p.name + strings.ToUpper(set.name())
	c.Function(name)
	c.Attributes(attr.NOSPLIT)
	c.SignatureExpr("func(a *args)")
	c.Pragma("noescape")
	c.Doc(name + " begins to move the n elements at ptr[0] to the caches, " + p.purpose + ".")
	args := c.Dereference(c.Param("a"))
	n := c.Load(args.Field("n"), c.GP64()).(reg.GPVirtual)
	c.Load(args.Field("ptr").Index(0), reg.RAX)
	const line = 64 / 4
	c.SUBQ(operand.U32(1), n)
	c.JL(operand.LabelRef("end"))
	c.Label("line")
	p.fetch(c)
	c.ADDQ(operand.U32(4*line), reg.RAX)
	c.SUBQ(operand.U32(line), n)
	c.JGE(operand.LabelRef("line"))
	c.Label("end")
	c.RET()
	file, err := c.Result()
	if err != nil {
		log.Fatal(err)
	}
	f, _ := compile(file)
	return f
}
