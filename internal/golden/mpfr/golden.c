// golden writes the files of package golden, in a folder: NAME.hash and NAME.near for every
// function, or for those that are named.
//
//	golden DIR [NAME...]
#include "reference.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// The last block, sample, has one of every 4096 inputs.
enum { blocks = 4096, block_size = 1 << 20, sample = blocks, lanes = 8, kept = 32 };

// An input whose value is near a midpoint.
struct near {
	uint32_t x, y;
	double distance;
};

// What is known about a block: its hash, and the inputs nearest to a midpoint, in order.
static struct block {
	uint64_t hash;
	int count;
	struct near near[kept];
} table[blocks + 1];

static int function;
static atomic_int next_block;

// mix is the step of the hash. Of one wrong result it never gives the right hash, since it is
// a permutation of h for every value, and of the values for every h.
static uint64_t mix(uint64_t h, uint64_t value) { return (h ^ value) * 0x9e3779b97f4a7c15; }

// keep inserts the input, unless as many are nearer. Of equal distances the first is kept.
static void keep(struct block *b, struct near n) {
	if (b->count == kept) {
		int worst = kept - 1;
		for (int i = kept - 2; i >= 0; i--)
			if (b->near[i].distance > b->near[worst].distance) worst = i;
		if (n.distance >= b->near[worst].distance) return;
		memmove(&b->near[worst], &b->near[worst + 1], (kept - 1 - worst) * sizeof n);
		b->count--;
	}
	b->near[b->count++] = n;
}

// input returns the bits of input i of the block. In the sample its place among 4096
// neighbours varies.
static uint32_t input(uint32_t block, uint32_t i) {
	return block == sample ? i << 12 | i * 0x9e3779b9 >> 20 : block * block_size + i;
}

static void compute(uint32_t number) {
	struct block *b = &table[number];
	uint64_t h[lanes] = {0};
	b->count = 0;
	for (uint32_t i = 0; i < block_size; i++) {
		struct near n = {.x = input(number, i)};
		float x;
		memcpy(&x, &n.x, sizeof x);
		float y = golden_value(function, x, &n.distance);
		memcpy(&n.y, &y, sizeof y);
		if (isnan(y)) n.y = 0x7fc00000;
		h[i % lanes] = mix(h[i % lanes], n.y);
		if (n.distance < GOLDEN_NEAR && number != sample) keep(b, n);
	}
	b->hash = 0;
	for (int lane = 0; lane < lanes; lane++) {
		b->hash = mix(b->hash, h[lane]);
		b->hash ^= b->hash >> 32;
	}
}

static void *work(void *unused) {
	(void)unused;
	for (int b; (b = next_block++) <= sample;) compute(b);
	mpfr_free_cache();
	return NULL;
}

// put appends the bytes of v, little-endian.
static void put(FILE *f, uint64_t v, int bytes) {
	for (int i = 0; i < bytes; i++) putc(v >> 8 * i & 0xff, f);
}

static FILE *create(const char *dir, const char *suffix) {
	char path[4096];
	snprintf(path, sizeof path, "%s/%s.%s", dir, golden_names[function], suffix);
	FILE *f = fopen(path, "wb");
	if (!f) perror(path), exit(1);
	return f;
}

static void close_file(FILE *f) {
	if (ferror(f) | fclose(f)) perror("golden"), exit(1);
}

static void make(const char *dir) {
	struct timespec begin, end;
	long threads = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t thread[threads];
	clock_gettime(CLOCK_MONOTONIC, &begin);
	next_block = 0;
	for (int i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, work, NULL)) perror("golden"), exit(1);
	for (int i = 0; i < threads; i++) pthread_join(thread[i], NULL);
	clock_gettime(CLOCK_MONOTONIC, &end);

	FILE *hash = create(dir, "hash"), *near = create(dir, "near");
	int count = 0;
	double closest = 1;
	for (int b = 0; b <= sample; b++) {
		put(hash, table[b].hash, 8);
		for (int i = 0; i < table[b].count; i++, count++) {
			put(near, table[b].near[i].x, 4);
			put(near, table[b].near[i].y, 4);
			if (table[b].near[i].distance < closest) closest = table[b].near[i].distance;
		}
	}
	close_file(hash), close_file(near);
	printf("%s: %d inputs near a midpoint, the nearest at 2^%.1f of the value, %ld s\n",
		golden_names[function], count, log2(closest), (long)(end.tv_sec - begin.tv_sec));
	fflush(stdout);
}

int main(int argc, char **argv) {
	if (argc < 2) {
		fputs("usage: golden DIR [NAME...]\n", stderr);
		return 2;
	}
	int made = 0;
	for (function = 0; function < golden_functions; function++) {
		int named = argc == 2;
		for (int i = 2; i < argc; i++) named |= !strcmp(argv[i], golden_names[function]);
		if (named) make(argv[1]), made++;
	}
	if (made != (argc == 2 ? golden_functions : argc - 2)) {
		fputs("golden: no function has one of these names\n", stderr);
		return 2;
	}
	return 0;
}
