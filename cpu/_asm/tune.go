package main

import (
	"os"
	"strconv"
)

var unrolled = func() int {
	n, err := strconv.Atoi(os.Getenv("UNROLL"))
	if err != nil {
		return 2
	}
	return n
}()
