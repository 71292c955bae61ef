// The part of the Store that keeps the gate's own record of multipart uploads: who began one, with
// what, and the hash of each part that passed. What is not certain of a part is never filled in.
import { EffectStatements } from './effects.ts'
import type { Row } from './sql.ts'
import type { UploadPart, UploadRow } from './store.ts'

export class UploadStatements extends EffectStatements {
  async addUpload({ id, bucket, key, sessionId, created }: UploadRow, atMs: number): Promise<void> {
    await this.sql.run(
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

  async upload(id: string): Promise<UploadRow | undefined> {
    const row = await this.sql.one('SELECT * FROM uploads WHERE id = ?', id)
    if (row === undefined) return undefined
    return {
      id,
      bucket: String(row['bucket']),
      key: String(row['object_key']),
      sessionId: String(row['session_id']),
      created: JSON.parse(String(row['created'])) as UploadRow['created'],
    }
  }

  async uploadParts(id: string): Promise<readonly UploadPart[]> {
    return (
      await this.sql.all('SELECT * FROM upload_parts WHERE upload_id = ? ORDER BY number', id)
    ).map(part)
  }

  async beginPart(uploadId: string, number: number): Promise<void> {
    await this.sql.run(
      `INSERT INTO upload_parts (upload_id, number, etag, sha256, bytes, pending, uncertain)
       SELECT id, ?, NULL, NULL, 0, 1, 0 FROM uploads WHERE id = ?
       ON CONFLICT (upload_id, number) DO UPDATE SET
       etag = NULL, sha256 = NULL, bytes = 0, pending = 1,
       uncertain = CASE WHEN upload_parts.pending = 1 THEN 1 ELSE upload_parts.uncertain END`,
      number,
      uploadId,
    )
  }

  async endPart(uploadId: string, { number, etag, sha256, bytes }: UploadPart): Promise<void> {
    await this.sql.run(
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

  async endUpload(id: string): Promise<void> {
    await this.transaction(async (sql) => {
      await sql.run('DELETE FROM upload_parts WHERE upload_id = ?', id)
      await sql.run('DELETE FROM uploads WHERE id = ?', id)
      return true
    })
  }

  async uploadCount(
    sessionId: string,
  ): Promise<{ readonly ofSession: number; readonly all: number }> {
    const row = await this.sql.one(
      'SELECT count(*) AS whole, count(*) FILTER (WHERE session_id = ?) AS own FROM uploads',
      sessionId,
    )
    return { ofSession: Number(row?.['own'] ?? 0), all: Number(row?.['whole'] ?? 0) }
  }

  async pruneUploads(beforeMs: number): Promise<void> {
    const due = 'SELECT 1 AS yes FROM uploads WHERE at_ms < ? LIMIT 1'
    if ((await this.sql.one(due, beforeMs)) === undefined) return
    await this.transaction(async (sql) => {
      await sql.run(
        'DELETE FROM upload_parts WHERE upload_id IN (SELECT id FROM uploads WHERE at_ms < ?)',
        beforeMs,
      )
      await sql.run('DELETE FROM uploads WHERE at_ms < ?', beforeMs)
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
