module github.com/gmind-go/compute

go 1.25

require (
	github.com/jgillich/go-opencl v0.0.0-20180608191952-a0efba3e5257
	github.com/sbinet/npyio v0.6.0
	golang.org/x/sys v0.41.0
	gonum.org/v1/gonum v0.17.0
)

require github.com/klauspost/cpuid/v2 v2.4.2
