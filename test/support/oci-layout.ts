import { createHash } from 'node:crypto'
import { mkdir, open, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { digestOf, hexOf } from '../../src/lib/digest.ts'
import { tarHeader, tarOfExecutable } from '../../src/registry/samples/ustar.ts'

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const INDEX = 'application/vnd.oci.image.index.v1+json'
const LAYER = 'application/vnd.oci.image.layer.v1.tar'
const CHUNK = Buffer.alloc(1 << 20)

interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly platform?: { readonly os: string; readonly architecture: string }
}

interface Layer {
  readonly descriptor: Descriptor
  /** The digest of the archive before it was compressed. */
  readonly diffId: string
}

const COMPRESSION = {
  none: [LAYER, (bytes: Buffer) => bytes],
  gzip: [`${LAYER}+gzip`, gzipSync],
  zstd: [`${LAYER}+zstd`, zstdCompressSync],
} as const

/** An image layout on disk, as skopeo and umoci read it: https://github.com/opencontainers/image-spec */
export interface OciLayout {
  readonly folder: string
  /** An archive of one file with this text. */
  layer(name: string, text: string, compression?: keyof typeof COMPRESSION): Promise<Layer>
  /** An archive of one file of zeros, so long that the archive has about `bytes`. */
  largeLayer(name: string, bytes: number): Promise<Layer>
  image(layers: readonly Layer[], architecture?: string): Promise<Descriptor>
  index(images: readonly Descriptor[]): Promise<Descriptor>
  /** Names what `skopeo copy oci:FOLDER:TAG` takes. */
  tag(name: string, top: Descriptor): Promise<void>
}

export async function createLayout(folder: string): Promise<OciLayout> {
  const blobs = join(folder, 'blobs', 'sha256')
  const tagged: unknown[] = []
  await mkdir(blobs, { recursive: true })
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')

  async function put(mediaType: string, bytes: Buffer): Promise<Descriptor> {
    const digest = digestOf(bytes)
    await writeFile(join(blobs, hexOf(digest)), bytes)
    return { mediaType, digest, size: bytes.length }
  }

  const putJson = (mediaType: string, document: unknown) =>
    put(mediaType, Buffer.from(JSON.stringify(document)))

  return {
    folder,

    async layer(name, text, compression = 'none') {
      const archive = tarOfExecutable(name, Buffer.from(text))
      const [mediaType, compress] = COMPRESSION[compression]
      return { descriptor: await put(mediaType, compress(archive)), diffId: digestOf(archive) }
    },

    async largeLayer(name, bytes) {
      const file = join(blobs, name)
      const handle = await open(file, 'wx')
      const hash = createHash('sha256')
      const write = async (part: Buffer) => {
        hash.update(part)
        await handle.writeFile(part)
      }
      const chunks = Math.ceil(bytes / CHUNK.length)
      try {
        await write(tarHeader(name, chunks * CHUNK.length))
        for (let chunk = 0; chunk < chunks; chunk++) await write(CHUNK)
        await write(CHUNK.subarray(0, 1024))
      } finally {
        await handle.close()
      }
      const hex = hash.digest('hex')
      await rename(file, join(blobs, hex))
      const { size } = await stat(join(blobs, hex))
      return {
        descriptor: { mediaType: LAYER, digest: `sha256:${hex}`, size },
        diffId: `sha256:${hex}`,
      }
    },

    async image(layers, architecture = 'amd64') {
      const config = await putJson('application/vnd.oci.image.config.v1+json', {
        architecture,
        os: 'linux',
        config: {},
        rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
      })
      const manifest = await putJson(MANIFEST, {
        schemaVersion: 2,
        mediaType: MANIFEST,
        config,
        layers: layers.map(({ descriptor }) => descriptor),
      })
      return { ...manifest, platform: { os: 'linux', architecture } }
    },

    index: (images) => putJson(INDEX, { schemaVersion: 2, mediaType: INDEX, manifests: images }),

    async tag(name, top) {
      tagged.push({ ...top, annotations: { 'org.opencontainers.image.ref.name': name } })
      const document = { schemaVersion: 2, mediaType: INDEX, manifests: tagged }
      await writeFile(join(folder, 'index.json'), JSON.stringify(document))
    },
  }
}
