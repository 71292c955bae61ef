// PartiQL of DynamoDB by its reference: examples of its pages, what they need by IAM, and texts that are no
// statement of it. Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.html
// and, for the actions and ARNs, ql-iam.html there.

import { expect, test } from 'vitest'
import { partiqlMeaning } from './partiql.ts'

const HERE = { partition: 'aws', region: 'eu-central-1', account: '123456789012' }
const MUSIC = 'arn:aws:dynamodb:eu-central-1:123456789012:table/Music'

function read(text: string) {
  const { statement, actions, resource } = partiqlMeaning(text, 'Statement', HERE)
  return { effects: statement.effects, actions, resource, unread: statement.unread }
}

test.each([
  [`SELECT * FROM "Music" WHERE "Artist"='Acme Band'`, 'Select', 'read', MUSIC],
  [
    `SELECT OrderID, Total FROM Music WHERE OrderID IN [1, 2, 3] ORDER BY OrderID DESC`,
    'Select',
    'read',
    MUSIC,
  ],
  [
    `SELECT Devices.FireStick.DateWatched[0] FROM Music WHERE CustomerID = ?`,
    'Select',
    'read',
    MUSIC,
  ],
  [`select "a" from "Music"."by-date" where "a" = ?`, 'Select', 'read', `${MUSIC}/index/by-date`],
  [
    `SELECT * FROM "Music" WHERE begins_with("Artist", ?) AND size(Tags) > 2;`,
    'Select',
    'read',
    MUSIC,
  ],
  [
    `EXISTS(SELECT * FROM "Music" WHERE "Artist" = 'x' AND Awards IS MISSING)`,
    'Select',
    'read',
    MUSIC,
  ],
  [`SELECT * FROM "${MUSIC}" WHERE a = 1`, 'Select', 'read', MUSIC],
  [
    `INSERT INTO "Music" VALUE {'Artist' : 'Acme Band','SongTitle' : 'PartiQL Rocks', 'n': ?}`,
    'Insert',
    'write',
    MUSIC,
  ],
  [
    `UPDATE "Music" SET AwardsWon=1 SET AwardDetail={'Grammys':[2020, 2018]} WHERE Artist='Acme Band' AND SongTitle='PartiQL Rocks'`,
    'Update',
    'write',
    MUSIC,
  ],
  [
    `UPDATE "Music" REMOVE AwardDetail.Grammys[2] WHERE Artist='Acme Band' RETURNING ALL OLD *`,
    'Update',
    'write',
    MUSIC,
  ],
  [
    `UPDATE "Music" SET BandMembers =set_add(BandMembers, <<'newbandmember'>>) WHERE Artist='Acme Band'`,
    'Update',
    'write',
    MUSIC,
  ],
  [
    `DELETE FROM "Music" WHERE "Artist" = 'Acme Band' AND "SongTitle" = 'PartiQL Rocks'`,
    'Delete',
    'destroy',
    MUSIC,
  ],
  [
    `delete from Music where Artist = 'it''s; DELETE FROM "Other"' RETURNING ALL OLD *`,
    'Delete',
    'destroy',
    MUSIC,
  ],
])('%s', (text, action, effect, arn) => {
  expect(read(text)).toEqual({
    effects: [effect],
    actions: [`dynamodb:PartiQL${action}`],
    resource: { arn, type: arn.includes('/index/') ? 'index' : 'table', resolved: true },
    unread: undefined,
  })
})

test.each([
  // A second table in a nested place, a second statement, a second clause.
  `SELECT * FROM "Music" WHERE a IN (SELECT b FROM "Other")`,
  `SELECT * FROM "Music", "Other"`,
  `SELECT * FROM "Music" JOIN "Other" ON a = b`,
  `SELECT * FROM (SELECT * FROM "Other")`,
  `SELECT (SELECT a FROM "Other") FROM "Music"`,
  `SELECT * FROM "Music"; DELETE FROM "Music" WHERE a = 1`,
  `SELECT * FROM "Music" WHERE a = 1 DELETE FROM "Music" WHERE a = 1`,
  `INSERT INTO "Music" VALUE {'a': (SELECT b FROM "Other")}`,
  `INSERT INTO "Music" VALUE ?; DELETE FROM "Music" WHERE a = 1`,
  `INSERT INTO "Music" SELECT * FROM "Other"`,
  `UPDATE "Music" SET a = 1 WHERE b = 1 UPDATE "Other" SET a = 1 WHERE b = 1`,
  `DELETE FROM "Music" WHERE a IN (SELECT b FROM "Other")`,
  `EXISTS(SELECT * FROM "Music" WHERE a = 1) AND (1 = 1)`,
  `EXISTS(DELETE FROM "Music" WHERE a = 1)`,
  `SELECT EXISTS(SELECT * FROM "Other") FROM "Music"`,
  // Comments, quotes and letters that are read one way here and maybe another there.
  `SELECT * FROM "Music" -- WHERE a = 1`,
  `SELECT * /* FROM "Other" */ FROM "Music"`,
  `/* x */ DELETE FROM "Music" WHERE a = 1`,
  `SELECT * FROM "Mu""sic" WHERE a = 1`,
  `SELECT * FROM "Mus\\"ic" WHERE a = 1`,
  'SELECT * FROM `Music` WHERE a = 1',
  `SELECT * FROM 'Music' WHERE a = 1`,
  `SELECT * FROM "Musiс" WHERE a = 1`,
  `SELECT * FROM\u00a0"Music" WHERE a = 1`,
  `ſELECT * FROM "Music"`,
  `SELECT * FROM "Music" WHERE a = 'x\\' OR b = '`,
  `SELECT * FROM "Music" WHERE a = \`2026-01-01\``,
  // Names that could be parted another way, or are none.
  `SELECT * FROM Music.index WHERE a = 1`,
  `SELECT * FROM "Music".index WHERE a = 1`,
  `SELECT * FROM "a"."b"."c" WHERE a = 1`,
  `SELECT * FROM my-table WHERE a = 1`,
  `SELECT * FROM "*" WHERE a = 1`,
  `SELECT * FROM "Music/index/x" WHERE a = 1`,
  `SELECT * FROM "arn:aws:dynamodb:eu-central-1:123456789012:table/*" WHERE a = 1`,
  `SELECT * FROM "" WHERE a = 1`,
  `SELECT * FROM ? WHERE a = 1`,
  `SELECT * FROM "Music" AS m WHERE a = 1`,
  `SELECT * FROM "Music" m WHERE a = 1`,
  `DELETE FROM "Music"."i" WHERE a = 1`,
  // No clause that a change must have, none it may not, no function that is not listed.
  `DELETE FROM "Music"`,
  `UPDATE "Music" SET a = 1`,
  `UPDATE "Music" WHERE a = 1`,
  `INSERT INTO "Music" VALUE`,
  `SELECT * FROM "Music" RETURNING ALL OLD *`,
  `SELECT * FROM "Music" WHERE other(a)`,
  `DROP TABLE "Music"`,
  `EXEC "Music"`,
  `SELECT`,
  ``,
  ` `,
  `DELETE`,
])('is not read, has no table and the strictest action: %s', (text) => {
  const { effects, actions, resource, unread } = read(text)
  expect(effects).toEqual(['unknown'])
  expect(actions[0]).toBe('dynamodb:PartiQLDelete')
  expect(actions).toHaveLength(4)
  expect(resource).toEqual({ arn: '*', type: 'table', resolved: false })
  expect(unread).toBeTruthy()
})

test('a statement at the maximum is read, one character more is not', () => {
  const long = (count: number) => `SELECT * FROM "Music" WHERE a = '${'x'.repeat(count - 34)}'`
  expect(long(8_192)).toHaveLength(8_192)
  expect(read(long(8_192)).effects).toEqual(['read'])
  expect(read(long(8_193)).effects).toEqual(['unknown'])
})
