import * as THREE from "three";

/** Circles on the ground around the sensor, at equal distances, and its x axis. */
export function groundRings(range: number, ground: number): THREE.LineSegments {
  const spacing = ringSpacing(range);
  const corners: number[] = [];
  for (let radius = spacing; radius <= range * 1.2; radius += spacing) {
    for (let part = 0; part < 96; part++) {
      for (const end of [part, part + 1]) {
        const angle = (2 * Math.PI * end) / 96;
        corners.push(radius * Math.cos(angle), radius * Math.sin(angle), ground);
      }
    }
  }
  corners.push(0, 0, ground, spacing, 0, ground);
  const geometry = new THREE.BufferGeometry();
  geometry.setAttribute("position", new THREE.Float32BufferAttribute(corners, 3));
  return new THREE.LineSegments(geometry, new THREE.LineBasicMaterial());
}

/** Metres between rings: about four of them. */
export function ringSpacing(range: number): number {
  const power = 10 ** Math.floor(Math.log10(range / 4));
  return power * [1, 2, 5, 10].find((factor) => factor * power >= range / 5)!;
}
