// How far two places lie apart, and whether that is too far for a matter that is verified near the place.
const MOST_DOUBT_M = 100; // a position may be wrong by what it says of itself, but by no more than this

/** Metres between two places, on a sphere. */
export function distance(a, b) {
  const rad = Math.PI / 180;
  const x = (b.lon - a.lon) * rad * Math.cos(((a.lat + b.lat) / 2) * rad);
  const y = (b.lat - a.lat) * rad;
  return Math.hypot(x, y) * 6_371_008;
}

/** Whether somebody so many metres away, by a position of that accuracy, stands outside a limit; 0 is no limit. */
export const tooFar = (metres, limit, accuracy) => limit > 0 && metres > limit + Math.min(accuracy ?? 0, MOST_DOUBT_M);
