//go:build !purego

package cpu

func init() {
	standIn(&avx512)
	standIn(&avx2)
}
