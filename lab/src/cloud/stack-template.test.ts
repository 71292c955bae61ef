import { expect, test } from 'vitest'
import {
  parseTemplate,
  RESOURCES_MAX,
  resolve,
  TEMPLATE_BYTES_MAX,
  TEMPLATE_DEPTH_MAX,
} from './stack-template.ts'

const REFUSED = expect.objectContaining({ code: 'ValidationError' })
const BUCKET = { Type: 'AWS::S3::Bucket' }

function parse(template: unknown) {
  return parseTemplate(JSON.stringify(template))
}

/** A placeholder as Fn::Sub writes it. */
function hole(name: string): string {
  return ['$', '{', name, '}'].join('')
}

const references = {
  ref: (name: string) => (name === 'AWS::Region' ? 'cn-north-1' : undefined),
  attribute: (logicalId: string, name: string) =>
    logicalId === 'Table' && name === 'Arn' ? 'arn:table' : undefined,
}

// Source:
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
test('the intrinsic functions give what they refer to', () => {
  const values = {
    ref: { Ref: 'AWS::Region' },
    attribute: { 'Fn::GetAtt': ['Table', 'Arn'] },
    dotted: { 'Fn::GetAtt': 'Table.Arn' },
    sub: { 'Fn::Sub': [hole('AWS::Region'), hole('Table.Arn'), hole('!Literal')].join('/') },
    join: { 'Fn::Join': ['-', ['a', { Ref: 'AWS::Region' }]] },
  }
  expect(resolve(values, references)).toEqual({
    ref: 'cn-north-1',
    attribute: 'arn:table',
    dotted: 'arn:table',
    sub: `cn-north-1/arn:table/${hole('Literal')}`,
    join: 'a-cn-north-1',
  })
})

test('a function the lab lacks and a reference to nothing are refused', () => {
  const odd = [
    { 'Fn::If': ['Condition', 1, 2] },
    { 'Fn::Sub': [hole('A'), { A: 'b' }] },
    { Ref: 'Nowhere' },
    { 'Fn::GetAtt': ['Table', 'Nothing'] },
    { Ref: 'AWS::Region', Other: 1 },
  ]
  for (const value of odd) expect(() => resolve(value, references)).toThrowError(REFUSED)
})

test('resources come after what they refer to', () => {
  const template = parse({
    Resources: {
      Last: { ...BUCKET, DependsOn: ['Middle'] },
      Middle: { ...BUCKET, Properties: { BucketName: { Ref: 'First' } } },
      First: BUCKET,
    },
  })
  expect(template.resources.map((one) => one.logicalId)).toEqual(['First', 'Middle', 'Last'])
})

test('a name that is nowhere, and what is not JSON, are refused', () => {
  expect(() => parse({ Resources: { A: { ...BUCKET, DependsOn: 'B' } } })).toThrowError(REFUSED)
  expect(() => parseTemplate('Resources:\n  A:\n    Type: AWS::S3::Bucket')).toThrowError(REFUSED)
})

test('count, size and depth are bounded', () => {
  const many = (count: number) => ({
    Resources: Object.fromEntries(Array.from({ length: count }, (_, at) => [`R${at}`, BUCKET])),
  })
  expect(parse(many(RESOURCES_MAX)).resources.length).toBe(RESOURCES_MAX)
  expect(() => parse(many(RESOURCES_MAX + 1))).toThrowError(REFUSED)
  const short = JSON.stringify({ Description: '', Resources: { A: BUCKET } })
  const long = (bytes: number) =>
    short.replace('""', JSON.stringify('x'.repeat(bytes - short.length)))
  expect(parseTemplate(long(TEMPLATE_BYTES_MAX)).resources.length).toBe(1)
  expect(() => parseTemplate(long(TEMPLATE_BYTES_MAX + 1))).toThrowError(REFUSED)
  const deep = (depth: number) => {
    let value: unknown = 'x'
    for (let at = 1; at < depth; at += 1) value = [value]
    return { Metadata: value, Resources: { A: BUCKET } }
  }
  expect(parse(deep(TEMPLATE_DEPTH_MAX)).resources.length).toBe(1)
  expect(() => parse(deep(TEMPLATE_DEPTH_MAX + 1))).toThrowError(REFUSED)
})
