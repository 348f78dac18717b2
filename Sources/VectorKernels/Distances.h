// Squared distances from some points to a block of others. Each is one chain over the coordinates, from the first to
// the last; the chains of a block run side by side, one in each lane.

static void squaredDistances(const double *restrict points, const double *restrict block, size_t size,
                             double *restrict distances) {
  double sums[DISTANCE_POINTS][DISTANCE_BLOCK] = {{0}};
  for (size_t i = 0; i < size; i++) {
    const double *others = block + i * DISTANCE_BLOCK;
    for (int point = 0; point < DISTANCE_POINTS; point++) {
      double coordinate = points[point * size + i];
      for (int other = 0; other < DISTANCE_BLOCK; other++) {
        double difference = coordinate - others[other];
        sums[point][other] += difference * difference;
      }
    }
  }
  __builtin_memcpy(distances, sums, sizeof sums);
}
