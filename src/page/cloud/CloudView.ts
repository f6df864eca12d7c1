import * as THREE from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";
import type { PointAt, Theme } from "../ViewState.js";
import type { Vector } from "../LoadedScan.js";
import { DepthShading } from "./DepthShading.js";
import type { CloudObject } from "./CloudObject.js";
import { groundRings } from "./groundRings.js";
import { viewpoint, type ViewpointName } from "./viewpoints.js";

/** Pixels around a pointer within which a point is found. */
const REACH = 9;
/** Milliseconds without a change after which a view stands still. */
const STILL_MS = 200;
/** Points of a frame while the view moves, where a processor draws. */
const MOVING_POINTS = 25_000;
const BACKGROUNDS: Readonly<Record<Theme, number>> = { dark: 0x0e1217, light: 0xf3f5f8 };
const RINGS: Readonly<Record<Theme, number>> = { dark: 0x28313c, light: 0xd4dae2 };

/** The scans in 3D. It draws when something changes, and stands still otherwise. */
export class CloudView {
  readonly canvas: HTMLCanvasElement;
  readonly #renderer: THREE.WebGLRenderer;
  readonly #scene = new THREE.Scene();
  readonly #camera = new THREE.PerspectiveCamera(55, 1, 0.1, 5000);
  readonly #controls: OrbitControls;
  readonly #marks = new Map<string, THREE.Points>();
  readonly #rings: THREE.LineSegments;
  readonly #range: number;
  readonly #ground: number;
  readonly #shading = new DepthShading();
  readonly #drawn: (() => void)[] = [];
  /** Does a processor draw, and no graphics card? All points and shading then wait until the view stands still. */
  readonly isSlow: boolean;
  #shadesDepth = true;
  #still: number | undefined;
  #clouds: readonly CloudObject[] = [];
  #pointSize = 1;
  #isAsked = false;

  constructor(canvas: HTMLCanvasElement, range: number, ground: number) {
    this.canvas = canvas;
    this.#range = range;
    this.#ground = ground;
    this.#renderer = new THREE.WebGLRenderer({
      canvas,
      antialias: false,
      powerPreference: "high-performance",
    });
    // Colours are what tables and styles say, in both passes of a frame.
    THREE.ColorManagement.enabled = false;
    this.#renderer.outputColorSpace = THREE.LinearSRGBColorSpace;
    // All passes of a frame count as one.
    this.#renderer.info.autoReset = false;
    this.isSlow = drawsInSoftware(this.#renderer.getContext());
    this.#camera.up.set(0, 0, 1);
    this.#camera.near = Math.min(0.1, range / 500);
    this.#camera.far = range * 60;
    this.#rings = groundRings(range, ground);
    this.#scene.add(this.#rings);
    this.#controls = new OrbitControls(this.#camera, canvas);
    this.#controls.enableDamping = false;
    this.#controls.zoomToCursor = true;
    this.#controls.maxDistance = range * 20;
    this.#controls.addEventListener("change", () => {
      this.draw();
    });
    canvas.addEventListener("webglcontextrestored", () => {
      this.draw();
    });
    new ResizeObserver(() => {
      this.#resize();
    }).observe(canvas.parentElement!);
    this.look("overview");
  }

  /** Points of the last frame, by the renderer's own count. */
  get drawnPoints(): number {
    return this.#renderer.info.render.points - this.#marks.size;
  }

  get clouds(): readonly CloudObject[] {
    return this.#clouds;
  }

  /** Where the camera is and what it looks at. */
  get eye(): Vector {
    const { x, y, z } = this.#camera.position;
    return [x, y, z];
  }

  setTheme(theme: Theme): void {
    this.#scene.background = new THREE.Color(BACKGROUNDS[theme]);
    (this.#rings.material as THREE.LineBasicMaterial).color.set(RINGS[theme]);
    this.draw();
  }

  setDepthShading(isOn: boolean): void {
    this.#shadesDepth = isOn;
    this.draw();
  }

  /** Calls after each frame. */
  onDraw(action: () => void): void {
    this.#drawn.push(action);
  }

  setPointSize(size: number): void {
    this.#pointSize = size;
    this.#setScales();
    this.draw();
  }

  /** Replaces the clouds that are shown; those that are not among the new ones are disposed of. */
  show(clouds: readonly CloudObject[]): void {
    for (const cloud of this.#clouds) {
      if (clouds.includes(cloud)) continue;
      this.#scene.remove(cloud.object);
      cloud.dispose();
    }
    for (const { object } of clouds) if (object.parent === null) this.#scene.add(object);
    this.#clouds = clouds;
    this.#setScales();
    this.draw();
  }

  /** A mark at a point; undefined takes it away. */
  mark(name: string, position: Vector | undefined, color: number, size: number): void {
    let mark = this.#marks.get(name);
    if (position === undefined) {
      if (mark === undefined) return;
      this.#scene.remove(mark);
      disposeOf(mark);
      this.#marks.delete(name);
    } else {
      if (mark === undefined) {
        const geometry = new THREE.BufferGeometry();
        geometry.setAttribute("position", new THREE.Float32BufferAttribute([0, 0, 0], 3));
        const material = new THREE.PointsMaterial({ sizeAttenuation: false, depthTest: false, size, color });
        mark = new THREE.Points(geometry, material);
        mark.frustumCulled = false;
        mark.renderOrder = 10;
        this.#scene.add(mark);
        this.#marks.set(name, mark);
      }
      mark.position.set(...position);
    }
    this.draw();
  }

  /** Adds lines, boxes and the like; returns how to take them away. */
  add(object: THREE.Line): () => void {
    this.#scene.add(object);
    this.draw();
    return () => {
      this.#scene.remove(object);
      disposeOf(object);
      this.draw();
    };
  }

  look(name: ViewpointName): void {
    const { eye, target } = viewpoint(name, this.#range, this.#ground);
    this.#camera.position.set(...eye);
    this.#controls.target.set(...target);
    this.#controls.update();
    this.draw();
  }

  /** Turns and tilts the view, radians, and goes nearer by a factor. */
  turn(azimuth: number, polar: number, nearer: number): void {
    const offset = this.#camera.position.clone().sub(this.#controls.target);
    // Spherical coordinates of three.js stand on y.
    const spherical = new THREE.Spherical().setFromCartesianCoords(offset.x, offset.z, -offset.y);
    spherical.theta += azimuth;
    spherical.phi = Math.min(Math.PI - 0.01, Math.max(0.01, spherical.phi + polar));
    spherical.radius *= nearer;
    const turned = new THREE.Vector3().setFromSpherical(spherical);
    this.#camera.position.copy(this.#controls.target).add(new THREE.Vector3(turned.x, -turned.z, turned.y));
    this.#controls.update();
    this.draw();
  }

  /** Moves the eye and what it looks at along the view's own directions on the ground, in shares of the distance. */
  walk(forward: number, left: number): void {
    const ahead = this.#controls.target.clone().sub(this.#camera.position).setZ(0);
    const distance = this.#camera.position.distanceTo(this.#controls.target);
    if (ahead.lengthSq() < 1e-9) ahead.set(1, 0, 0);
    ahead.normalize();
    const move = ahead.clone().multiplyScalar(forward * distance);
    move.add(new THREE.Vector3(-ahead.y, ahead.x, 0).multiplyScalar(left * distance));
    this.#camera.position.add(move);
    this.#controls.target.add(move);
    this.#controls.update();
    this.draw();
  }

  /** The shown point nearest to the viewer among those near a place of the canvas, CSS pixels from its corner. */
  pick(x: number, y: number): PointAt | undefined {
    const { width, height } = this.canvas.getBoundingClientRect();
    let found: PointAt | undefined;
    let best = Infinity;
    for (const { object, scan } of this.#clouds) {
      const m = new THREE.Matrix4()
        .multiplyMatrices(this.#camera.projectionMatrix, this.#camera.matrixWorldInverse)
        .multiply(object.matrix).elements;
      const { origin, step } = scan.scan.layout;
      const { positions } = scan.packed;
      const index = object.geometry.index?.array;
      const count = index?.length ?? scan.count;
      for (let i = 0; i < count; i++) {
        const point = index === undefined ? i : index[i]!;
        const px = origin[0] + step * positions[3 * point]!;
        const py = origin[1] + step * positions[3 * point + 1]!;
        const pz = origin[2] + step * positions[3 * point + 2]!;
        const w = m[3] * px + m[7] * py + m[11] * pz + m[15];
        if (w <= 0.05) continue;
        const dx = (0.5 + (0.5 * (m[0] * px + m[4] * py + m[8] * pz + m[12])) / w) * width - x;
        if (dx > REACH || dx < -REACH) continue;
        const dy = (0.5 - (0.5 * (m[1] * px + m[5] * py + m[9] * pz + m[13])) / w) * height - y;
        const away = dx * dx + dy * dy;
        if (away > REACH * REACH) continue;
        // A pixel aside counts as one hundredth farther: what is under the pointer wins over what is beside it.
        const rank = w * (1 + 0.01 * Math.sqrt(away)) + 0.02 * away;
        if (rank >= best) continue;
        best = rank;
        found = { place: scan.place, point };
      }
    }
    return found;
  }

  /** Where a point of a shown scan is in the view's frame, metres. */
  positionOf({ place, point }: PointAt): Vector | undefined {
    const cloud = this.#clouds.find(({ scan }) => scan.place === place);
    if (cloud === undefined) return undefined;
    const { x, y, z } = new THREE.Vector3(...cloud.scan.position(point)).applyMatrix4(cloud.object.matrix);
    return [x, y, z];
  }

  /** Where a place of the view's frame is on the canvas, CSS pixels; undefined behind the viewer. */
  project(position: Vector): { readonly x: number; readonly y: number } | undefined {
    const { width, height } = this.canvas.getBoundingClientRect();
    const seen = new THREE.Vector4(...position, 1)
      .applyMatrix4(this.#camera.matrixWorldInverse)
      .applyMatrix4(this.#camera.projectionMatrix);
    if (seen.w <= 0) return undefined;
    return { x: (0.5 + (0.5 * seen.x) / seen.w) * width, y: (0.5 - (0.5 * seen.y) / seen.w) * height };
  }

  /** Draws in the next frame of the browser. */
  draw(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    requestAnimationFrame(() => {
      this.#isAsked = false;
      if (!this.isSlow) {
        this.drawNow();
        return;
      }
      this.#drawFrame(false, MOVING_POINTS);
      window.clearTimeout(this.#still);
      this.#still = window.setTimeout(() => {
        this.drawNow();
      }, STILL_MS);
    });
  }

  /** With all that is wanted, however long it takes. */
  drawNow(): void {
    this.#drawFrame(this.#shadesDepth, Infinity);
  }

  #drawFrame(shadesDepth: boolean, mostPoints: number): void {
    const points = this.#clouds.reduce((sum, { shownCount }) => sum + shownCount, 0);
    for (const cloud of this.#clouds) cloud.setShare(Math.min(1, mostPoints / Math.max(1, points)));
    this.#renderer.info.reset();
    if (shadesDepth) this.#shading.render(this.#renderer, this.#scene, this.#camera);
    else this.#renderer.render(this.#scene, this.#camera);
    for (const action of this.#drawn) action();
  }

  /** Milliseconds until a frame is drawn and its pixels are there. */
  timeFrame(shadesDepth: boolean, mostPoints = Infinity): number {
    const start = performance.now();
    this.#drawFrame(shadesDepth, mostPoints);
    const gl = this.#renderer.getContext();
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
    return performance.now() - start;
  }

  #setScales(): void {
    const height = this.#renderer.getDrawingBufferSize(new THREE.Vector2()).y;
    for (const cloud of this.#clouds) cloud.setScale(0.0016 * this.#range * this.#pointSize, height);
  }

  #resize(): void {
    const { clientWidth: width, clientHeight: height } = this.canvas.parentElement!;
    if (width === 0 || height === 0) return;
    // More pixels than this cost time and show nothing more of points.
    this.#renderer.setPixelRatio(Math.min(window.devicePixelRatio, 1.5));
    this.#renderer.setSize(width, height, false);
    this.#camera.aspect = width / height;
    this.#camera.updateProjectionMatrix();
    this.#setScales();
    // At once: an empty canvas would flash.
    this.drawNow();
  }
}

function drawsInSoftware(gl: WebGLRenderingContext | WebGL2RenderingContext): boolean {
  const named = gl.getExtension("WEBGL_debug_renderer_info")?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER;
  return /swiftshader|llvmpipe|software|basic render/i.test(String(gl.getParameter(named)));
}

/** What a graphics card keeps of an object is not freed with it. */
function disposeOf({ geometry, material }: THREE.Line | THREE.Points): void {
  geometry.dispose();
  for (const each of [material].flat()) each.dispose();
}
