/* vectorscan beside the finder: the brands' prefixes and lengths of benches/benches/scan.rs, then Luhn, over a file that is
 * read before. A pattern each length, so that vectorscan need not report where a match starts (it is faster so).
 * Prints: gigabytes a second of processor time (the median of the rounds), then the numbers found. */
#include <hs/hs.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char *patterns[] = {
    "4[0-9]{12}", "4[0-9]{15}", "5[1-5][0-9]{14}",
    "(?:222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}", "3[47][0-9]{13}",
    "3(?:0[0-5]|[68][0-9])[0-9]{11}", "6(?:011|4[4-9][0-9]|5[0-9]{2})[0-9]{12}", "35[2-8][0-9]{13}",
};
static const unsigned lengths[] = {13, 16, 16, 16, 15, 14, 16, 16};
enum { PATTERNS = sizeof lengths / sizeof *lengths, ROUNDS = 7 };

static const unsigned char *text;

static int match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *found) {
  (void)from, (void)flags;
  unsigned sum = 0;
  for (unsigned place = 0; place < lengths[id]; place++) {
    unsigned digit = text[to - 1 - place] & 15;
    sum += place % 2 == 0 ? digit : digit < 5 ? digit * 2 : digit * 2 - 9;
  }
  *(unsigned long *)found += sum % 10 == 0;
  return 0;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int ascending(const void *one, const void *other) {
  double a = *(const double *)one, b = *(const double *)other;
  return (a > b) - (a < b);
}

int main(int count, char **arguments) {
  FILE *file = count == 2 ? fopen(arguments[1], "rb") : NULL;
  if (!file) return fprintf(stderr, "usage: vectorscan FILE\n"), 2;
  fseek(file, 0, SEEK_END);
  size_t size = (size_t)ftell(file);
  rewind(file);
  unsigned char *bytes = malloc(size);
  if (!bytes || fread(bytes, 1, size, file) != size) return 3;
  text = bytes;
  unsigned ids[PATTERNS], flags[PATTERNS];
  for (unsigned id = 0; id < PATTERNS; id++) ids[id] = id, flags[id] = HS_FLAG_DOTALL;
  hs_database_t *database;
  hs_compile_error_t *error;
  hs_scratch_t *scratch = NULL;
  if (hs_compile_multi(patterns, flags, ids, PATTERNS, HS_MODE_BLOCK, NULL, &database, &error) != HS_SUCCESS)
    return fprintf(stderr, "%s\n", error->message), 3;
  if (hs_alloc_scratch(database, &scratch) != HS_SUCCESS) return 3;
  /* At least 64 MiB a round. */
  unsigned times = (unsigned)(((64u << 20) + size - 1) / size);
  double rates[ROUNDS];
  unsigned long found = 0;
  for (unsigned round = 0; round < ROUNDS; round++) {
    double start = now();
    for (unsigned time = 0; time < times; time++) {
      found = 0;
      if (hs_scan(database, (const char *)bytes, (unsigned)size, 0, scratch, match, &found) != HS_SUCCESS) return 3;
    }
    rates[round] = (double)size * times / (now() - start) / 1e9;
  }
  qsort(rates, ROUNDS, sizeof *rates, ascending);
  printf("%.3f %lu\n", rates[ROUNDS / 2], found);
  return 0;
}
