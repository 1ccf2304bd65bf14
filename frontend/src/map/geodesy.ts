/** Lengths and areas on the ellipsoid of CGCS2000. */

const A = 6378137;
const F = 1 / 298.257222101;
const B = A * (1 - F);
/** Radius of the sphere with the ellipsoid's area (authalic), for areas. */
const AUTHALIC = 6371007.18;
const rad = (degrees: number) => (degrees * Math.PI) / 180;

type Point = [lon: number, lat: number];

/** Metres of the shortest way between two points: Vincenty (1975), Survey Review 23(176), inverse formula. */
export function distance([lon1, lat1]: Point, [lon2, lat2]: Point): number {
  const L = rad(lon2 - lon1);
  const u1 = Math.atan((1 - F) * Math.tan(rad(lat1)));
  const u2 = Math.atan((1 - F) * Math.tan(rad(lat2)));
  const [s1, c1, s2, c2] = [Math.sin(u1), Math.cos(u1), Math.sin(u2), Math.cos(u2)];
  let lambda = L;
  for (let turn = 0; turn < 100; turn++) {
    const [sl, cl] = [Math.sin(lambda), Math.cos(lambda)];
    const sinSigma = Math.hypot(c2 * sl, c1 * s2 - s1 * c2 * cl);
    if (sinSigma === 0) return 0;
    const cosSigma = s1 * s2 + c1 * c2 * cl;
    const sigma = Math.atan2(sinSigma, cosSigma);
    const sinAlpha = (c1 * c2 * sl) / sinSigma;
    const cos2Alpha = 1 - sinAlpha ** 2;
    const cos2m = cos2Alpha === 0 ? 0 : cosSigma - (2 * s1 * s2) / cos2Alpha;
    const C = (F / 16) * cos2Alpha * (4 + F * (4 - 3 * cos2Alpha));
    const before = lambda;
    lambda = L + (1 - C) * F * sinAlpha * (sigma + C * sinSigma * (cos2m + C * cosSigma * (2 * cos2m ** 2 - 1)));
    if (Math.abs(lambda - before) < 1e-12) {
      const uu = (cos2Alpha * (A * A - B * B)) / (B * B);
      const k = 1 + (uu / 16384) * (4096 + uu * (-768 + uu * (320 - 175 * uu)));
      const m = (uu / 1024) * (256 + uu * (-128 + uu * (74 - 47 * uu)));
      const delta =
        m * sinSigma * (cos2m + (m / 4) * (cosSigma * (2 * cos2m ** 2 - 1) - (m / 6) * cos2m * (4 * sinSigma ** 2 - 3) * (4 * cos2m ** 2 - 3)));
      return B * k * (sigma - delta);
    }
  }
  return Number.NaN; // nearly opposite points on the earth
}

export function length(points: Point[]): number {
  return points.slice(1).reduce((sum, point, number) => sum + distance(points[number]!, point), 0);
}

/** Square metres of a polygon on the authalic sphere (Chamberlain and Duquette, 2007, eq. 6). */
export function area(points: Point[]): number {
  let sum = 0;
  for (let i = 0; i < points.length; i++) {
    const [lon1, lat1] = points[i]!;
    const [lon2, lat2] = points[(i + 1) % points.length]!;
    sum += rad(lon2 - lon1) * (2 + Math.sin(rad(lat1)) + Math.sin(rad(lat2)));
  }
  return Math.abs((sum * AUTHALIC * AUTHALIC) / 2);
}
