import * as THREE from "three";

const VERTEX = `
varying vec2 at;
void main() {
  at = uv;
  gl_Position = vec4(position.xy, 0.0, 1.0);
}`;

/**
 * Eye-dome lighting (Boucheny 2009): a pixel is darker the more its neighbours are nearer to the viewer, so that edges and
 * shapes stand out without normals.
 */
const FRAGMENT = `
uniform sampler2D colors;
uniform sampler2D depths;
uniform vec2 pixel;
uniform float near;
uniform float far;
varying vec2 at;
float logDistance(vec2 place) {
  float depth = texture2D(depths, place).r;
  return depth >= 1.0 ? -1.0 : log2(2.0 * near * far / (far + near - (2.0 * depth - 1.0) * (far - near)));
}
void main() {
  gl_FragColor = texture2D(colors, at);
  float here = logDistance(at);
  if (here < -0.5 && texture2D(depths, at).r >= 1.0) return;
  float sum = 0.0;
  for (int part = 0; part < 4; part++) {
    float angle = 1.5707963 * float(part) + 0.4;
    vec2 place = at + 1.5 * pixel * vec2(cos(angle), sin(angle));
    float depth = texture2D(depths, place).r;
    if (depth < 1.0) sum += max(0.0, here - logDistance(place));
  }
  gl_FragColor.rgb *= exp(-6.0 * min(sum, 0.25));
}`;

/** Draws a scene with shaded depth: first into a picture of colours and depths, then that. */
export class DepthShading {
  readonly #target = new THREE.WebGLRenderTarget(1, 1, {
    depthTexture: new THREE.DepthTexture(1, 1, THREE.UnsignedIntType),
    magFilter: THREE.NearestFilter,
    minFilter: THREE.NearestFilter,
  });
  readonly #material: THREE.ShaderMaterial;
  readonly #scene = new THREE.Scene();
  readonly #camera = new THREE.Camera();

  constructor() {
    this.#material = new THREE.ShaderMaterial({
      vertexShader: VERTEX,
      fragmentShader: FRAGMENT,
      depthTest: false,
      depthWrite: false,
      uniforms: {
        colors: { value: this.#target.texture },
        depths: { value: this.#target.depthTexture },
        pixel: { value: new THREE.Vector2() },
        near: { value: 0.1 },
        far: { value: 1000 },
      },
    });
    const quad = new THREE.Mesh(new THREE.PlaneGeometry(2, 2), this.#material);
    quad.frustumCulled = false;
    this.#scene.add(quad);
  }

  render(renderer: THREE.WebGLRenderer, scene: THREE.Scene, camera: THREE.PerspectiveCamera): void {
    const size = renderer.getDrawingBufferSize(new THREE.Vector2());
    if (this.#target.width !== size.x || this.#target.height !== size.y) {
      this.#target.setSize(size.x, size.y);
    }
    const { uniforms } = this.#material;
    (uniforms["pixel"]!.value as THREE.Vector2).set(1 / size.x, 1 / size.y);
    uniforms["near"]!.value = camera.near;
    uniforms["far"]!.value = camera.far;
    renderer.setRenderTarget(this.#target);
    renderer.render(scene, camera);
    renderer.setRenderTarget(null);
    renderer.render(this.#scene, this.#camera);
  }
}
