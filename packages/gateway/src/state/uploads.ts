// The part of the Store on SQLite that keeps the gate's own record of multipart uploads: who began one, with
// what, and the hash of each part that passed. What is not certain of a part is never filled in.
import { EffectStatements } from './effects.ts'
import type { UploadPart, UploadRow } from './store.ts'

type Row = Record<string, unknown>

export class UploadStatements extends EffectStatements {
  addUpload({ id, bucket, key, sessionId, created }: UploadRow, atMs: number): void {
    this.run(
      `INSERT INTO uploads (id, bucket, object_key, session_id, created, at_ms)
       VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      id,
      bucket,
      key,
      sessionId,
      JSON.stringify(created),
      atMs,
    )
  }

  upload(id: string): UploadRow | undefined {
    const row = this.one('SELECT * FROM uploads WHERE id = ?', id)
    if (row === undefined) return undefined
    return {
      id,
      bucket: String(row['bucket']),
      key: String(row['object_key']),
      sessionId: String(row['session_id']),
      created: JSON.parse(String(row['created'])) as UploadRow['created'],
    }
  }

  uploadParts(id: string): readonly UploadPart[] {
    return this.all('SELECT * FROM upload_parts WHERE upload_id = ? ORDER BY number', id).map(part)
  }

  beginPart(uploadId: string, number: number): void {
    this.run(
      `INSERT INTO upload_parts (upload_id, number, etag, sha256, bytes, pending, uncertain)
       SELECT id, ?, NULL, NULL, 0, 1, 0 FROM uploads WHERE id = ?
       ON CONFLICT (upload_id, number) DO UPDATE SET
       etag = NULL, sha256 = NULL, bytes = 0, uncertain = max(uncertain, pending), pending = 1`,
      number,
      uploadId,
    )
  }

  endPart(uploadId: string, { number, etag, sha256, bytes }: UploadPart): void {
    this.run(
      `UPDATE upload_parts SET pending = 0, bytes = ?,
       etag = CASE WHEN uncertain = 1 THEN NULL ELSE ? END,
       sha256 = CASE WHEN uncertain = 1 THEN NULL ELSE ? END
       WHERE upload_id = ? AND number = ?`,
      bytes,
      etag,
      sha256,
      uploadId,
      number,
    )
  }

  endUpload(id: string): void {
    this.transaction(() => {
      this.run('DELETE FROM upload_parts WHERE upload_id = ?', id)
      this.run('DELETE FROM uploads WHERE id = ?', id)
      return true
    })
  }

  uploadCount(sessionId: string): { readonly ofSession: number; readonly all: number } {
    const row = this.one(
      'SELECT count(*) AS whole, count(*) FILTER (WHERE session_id = ?) AS own FROM uploads',
      sessionId,
    )
    return { ofSession: Number(row?.['own'] ?? 0), all: Number(row?.['whole'] ?? 0) }
  }

  pruneUploads(beforeMs: number): void {
    if (this.one('SELECT 1 FROM uploads WHERE at_ms < ? LIMIT 1', beforeMs) === undefined) return
    this.transaction(() => {
      this.run(
        'DELETE FROM upload_parts WHERE upload_id IN (SELECT id FROM uploads WHERE at_ms < ?)',
        beforeMs,
      )
      this.run('DELETE FROM uploads WHERE at_ms < ?', beforeMs)
      return true
    })
  }
}

function part(row: Row): UploadPart {
  const text = (column: string) => (row[column] === null ? null : String(row[column]))
  return {
    number: Number(row['number']),
    etag: text('etag'),
    sha256: text('sha256'),
    bytes: Number(row['bytes']),
  }
}
