module github.com/gmind-go/compute/cpu/_asm

go 1.25.0

require github.com/mmcloughlin/avo v0.5.0

require (
	golang.org/x/mod v0.6.0 // indirect
	golang.org/x/tools v0.2.0 // indirect
)

require (
	github.com/gmind-go/compute v0.0.0
	golang.org/x/sys v0.47.0
)

replace github.com/gmind-go/compute => ../..
