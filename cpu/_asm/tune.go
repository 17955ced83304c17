package main

import (
	"os"
	"strconv"
)

func env(name string, or int) int {
	n, err := strconv.Atoi(os.Getenv(name))
	if err != nil {
		return or
	}
	return n
}
