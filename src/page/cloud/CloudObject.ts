import * as THREE from "three";
import type { LoadedScan } from "../LoadedScan.js";
import type { PointColors } from "../colors/PointColors.js";

const VERTEX = `
uniform vec3 origin;
uniform float step;
uniform float size;
uniform float viewportHeight;
uniform sampler2D colors;
attribute float colorByte;
varying vec3 pointColor;
void main() {
  vec4 seen = modelViewMatrix * vec4(origin + step * position, 1.0);
  gl_Position = projectionMatrix * seen;
  pointColor = texture2D(colors, vec2((colorByte + 0.5) / 256.0, 0.5)).rgb;
  // Pixels that "size" metres cover, so that surfaces close up near by, within what reads well.
  float pixels = size * projectionMatrix[1][1] * viewportHeight * 0.5 / gl_Position.w;
  gl_PointSize = clamp(pixels, 1.8, 7.0);
}`;

const FRAGMENT = `
varying vec3 pointColor;
void main() {
  gl_FragColor = vec4(pointColor, 1.0);
}`;

/** One scan as points of the 3D view. */
export class CloudObject {
  readonly scan: LoadedScan;
  readonly object: THREE.Points<THREE.BufferGeometry, THREE.ShaderMaterial>;
  #colors: PointColors | undefined;
  readonly #isShuffled: boolean;
  #shownCount: number;

  /** @param isShuffled draw in random order, so that a share of the points is an even one */
  constructor(scan: LoadedScan, isShuffled: boolean) {
    this.scan = scan;
    this.#isShuffled = isShuffled;
    this.#shownCount = scan.count;
    const geometry = new THREE.BufferGeometry();
    geometry.setAttribute("position", new THREE.BufferAttribute(scan.packed.positions, 3));
    const { origin, step } = scan.scan.layout;
    const material = new THREE.ShaderMaterial({
      vertexShader: VERTEX,
      fragmentShader: FRAGMENT,
      uniforms: {
        origin: { value: new THREE.Vector3(...origin) },
        step: { value: step },
        size: { value: 0.08 },
        viewportHeight: { value: 1 },
        colors: { value: null },
      },
    });
    this.object = new THREE.Points(geometry, material);
    this.object.matrixAutoUpdate = false;
    // What is in view is known only to the shader.
    this.object.frustumCulled = false;
  }

  setColors(colors: PointColors): void {
    const { material, geometry } = this.object;
    if (this.#colors?.bytes !== colors.bytes) {
      geometry.setAttribute("colorByte", new THREE.BufferAttribute(colors.bytes, 1));
    }
    this.#colors = colors;
    const { colors: uniform } = material.uniforms;
    (uniform!.value as THREE.Texture | null)?.dispose();
    const texture = new THREE.DataTexture(colors.table, 256, 1);
    texture.needsUpdate = true;
    uniform!.value = texture;
  }

  /** Draws only the points whose class is not among these. */
  hide(slots: ReadonlySet<number>): void {
    const { geometry } = this.object;
    const { labels } = this.scan.packed;
    if (slots.size === 0 && !this.#isShuffled) {
      this.#shownCount = labels.length;
      geometry.setIndex(null);
      geometry.setDrawRange(0, labels.length);
      return;
    }
    const isHidden = new Uint8Array(256);
    for (const slot of slots) isHidden[slot] = 1;
    const shown = new Uint32Array(labels.length);
    let count = 0;
    for (let point = 0; point < labels.length; point++) {
      if (isHidden[labels[point]!] === 0) shown[count++] = point;
    }
    const index = shown.slice(0, count);
    if (this.#isShuffled) shuffle(index);
    this.#shownCount = count;
    geometry.setIndex(new THREE.BufferAttribute(index, 1));
    geometry.setDrawRange(0, count);
  }

  /** Points that are drawn when all are. */
  get shownCount(): number {
    return this.#shownCount;
  }

  /** Draws only the first of them, a share from 0 to 1. */
  setShare(share: number): void {
    this.object.geometry.setDrawRange(0, Math.ceil(share * this.#shownCount));
  }

  setScale(size: number, viewportHeight: number): void {
    const { uniforms } = this.object.material;
    uniforms["size"]!.value = size;
    uniforms["viewportHeight"]!.value = viewportHeight;
  }

  dispose(): void {
    const { geometry, material } = this.object;
    geometry.dispose();
    (material.uniforms["colors"]!.value as THREE.Texture | null)?.dispose();
    material.dispose();
  }
}

/** Fisher and Yates', the same at every time. */
function shuffle(values: Uint32Array): void {
  let state = 1;
  for (let left = values.length - 1; left > 0; left--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const other = Math.floor((state / 2 ** 32) * (left + 1));
    const value = values[left]!;
    values[left] = values[other]!;
    values[other] = value;
  }
}
