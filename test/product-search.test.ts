import { indexedWords, queryWords } from '../src/modules/catalog/search-words.ts';
import { type CatalogUnderTest, startCatalog } from './harness/catalog.ts';

let catalog: CatalogUnderTest;
const shelf = [
  { name: 'White hanging heart T-light holder', sku: '85123A', category: 'Lights' },
  { name: 'Who is the What', sku: 'WHAT-1', description: 'About a www of the and' },
  { name: 'C++ in 21 days', sku: 'BOOK-C++', category: 'Books' },
  { name: 'Straße & Café', sku: 'de_0001' },
  { name: 'ΟΔΟΣΑΚΙ map', sku: 'gr' },
  { name: 'पानी की बोतल', sku: 'hi' },
  { name: 'чайник ЭЛЕКТРИЧЕСКИЙ', sku: 'ru' },
  { name: '智能手机', sku: 'zh' },
  { name: 'Zigzag jazz pizza', sku: 'zz' },
  { name: 'a', sku: 'x' },
  { name: `${'long'.repeat(40)} word`, sku: 'long' },
];
beforeAll(async () => {
  catalog = await startCatalog();
  for (const fields of shelf) await catalog.product(fields);
});
afterAll(() => catalog.close());

const search = async (q: string, more = '') => {
  const { status, body } = await catalog.send('get', `/api/products?limit=100&sort=name&q=${encodeURIComponent(q)}${more}`, {
    as: 'nobody',
  });
  expect(status).toBe(200);
  return body.data.map(({ sku }: { sku: string }) => sku);
};

describe('searching for words', () => {
  it.each([
    ['heart', ['85123A']],
    ['HEART white', ['85123A']],
    ['hea', ['85123A']],
    ['eart', []],
    ['heart lamp', []],
    ['85123a', ['85123A']],
    ['t-light', ['85123A']],
    ['lights', ['85123A']],
    ['what', ['WHAT-1']],
    ['who is the', ['WHAT-1']],
    ['www', ['WHAT-1']],
    ['about of and', ['WHAT-1']],
    ['C++ 21', ['BOOK-C++']],
    ['C++', ['BOOK-C++', 'de_0001']],
    ['c', ['BOOK-C++', 'de_0001']],
    ['21', ['BOOK-C++']],
    ['2', ['BOOK-C++']],
    ['strasse', ['de_0001']],
    ['STRASSE café', ['de_0001']],
    ['CAFÉ', ['de_0001']],
    ['cafe\u0301', ['de_0001']],
    ['ｃａｆｅ', []],
    ['ｓｔｒａｓｓｅ', ['de_0001']],
    ['0001', ['de_0001']],
    ['οδος', ['gr']],
    ['ΟΔΟΣ', ['gr']],
    ['पानी', ['hi']],
    ['ЧАЙ', ['ru']],
    ['электр', ['ru']],
    ['智能', ['zh']],
    ['z', ['zz', 'zh']],
    ['zi', ['zz']],
    ['jaz', ['zz']],
    ['pizza jazz zigzag', ['zz']],
    ['long'.repeat(40), ['long']],
  ])('%s finds %p', async (q, skus) => {
    expect(await search(q)).toEqual(skus);
  });

  it.each([
    ['', []],
    ['   ', []],
    ['+++', []],
    ['"', []],
    ['***', []],
    ['(heart', ['85123A']],
    ['heart)', ['85123A']],
    ['"heart', ['85123A']],
    ['heart*', ['85123A']],
    ['*heart', ['85123A']],
    ['-heart', ['85123A']],
    ['+heart -white', ['85123A']],
    ['heart @5', []],
    ['~heart <white >holder', ['85123A']],
    ['heart OR lamp', []],
    ['heart AND white', []],
    ['heart NOT white', []],
    ['NEAR(heart white)', []],
    ['name:heart', []],
    ['words: heart', []],
    ['^heart', ['85123A']],
    ["heart' OR '1'='1", []],
    ['heart; DROP TABLE catalog_products', []],
    ['%', []],
    ['_', []],
    ['\u0000heart', ['85123A']],
    ['{heart}', ['85123A']],
  ])('what means something to an engine means nothing here: %p', async (q, skus) => {
    expect(await search(q)).toEqual(skus);
  });

  it('looks at the first eight words', async () => {
    expect(await search('white hanging heart t light holder white 85123a nonsense')).toEqual([]);
    expect(await search('white hanging heart t light holder 85123a lights nonsense')).toEqual(['85123A']);
    expect(await search(`${'x '.repeat(99)}`)).toEqual(['x']);
  });

  it('goes together with the filters', async () => {
    expect(await search('c', '&category=Books')).toEqual(['BOOK-C++']);
    expect(await search('heart', '&maxPrice=499')).toEqual([]);
    expect(await search('heart', '&include=stock')).toEqual(['85123A']);
  });

  it('knows an edit from the moment at which it is answered', async () => {
    const { id } = await catalog.product({ sku: 'edited', name: 'before', description: 'olddescription' });
    expect(await search('olddesc')).toEqual(['edited']);
    await catalog.send('patch', `/api/products/${id}`, {
      headers: { 'If-Match': '"1"' },
      body: { name: 'after', description: null, category: 'Novelty' },
    });
    expect(await search('before')).toEqual([]);
    expect(await search('olddesc')).toEqual([]);
    expect(await search('after novelty')).toEqual(['edited']);
    await catalog.send('patch', `/api/products/${id}`, { headers: { 'If-Match': '"1"' }, body: { name: 'refused' } });
    expect(await search('refused')).toEqual([]);
    await catalog.send('delete', `/api/products/${id}`, { headers: { 'If-Match': '"2"' } });
    expect(await search('after')).toEqual([]);
  });
});

describe('cutting a text into words', () => {
  it('takes any text and gives plain ASCII words', () => {
    for (const text of [
      '',
      '\ud800',
      '👨‍👩‍👧 family',
      'ǅ ß ﬃ ½ Ⅷ',
      '١٢٣',
      'e\u0301',
      '\u0301',
      'İstanbul ıssız',
      '𝒜𝒷𝒸',
      '𠮷野家',
    ]) {
      expect(indexedWords([text])).toMatch(/^(?:w0[a-z0-9]+(?: w0[a-z0-9]+)*)?$/);
      for (const word of queryWords(text)) expect(indexedWords([text]).split(' ')).toContain(word);
    }
  });

  it('keeps the beginnings of words the beginnings of their codes', () => {
    const texts = ['zebra', 'чайник', 'जल', 'naïve', 'z1z', '手机店'];
    for (const text of texts) {
      const [whole = ''] = queryWords(text);
      for (let length = 1; length <= text.length; length += 1)
        expect(whole.startsWith(queryWords(text.slice(0, length))[0] ?? '-')).toBe(true);
    }
    expect(queryWords('z')).not.toEqual(queryWords('zz'));
  });

  it('bounds what one product adds to the index', () => {
    const text = Array.from({ length: 5000 }, (_, n) => `word${n}`).join(' ');
    expect(indexedWords([text]).split(' ')).toHaveLength(2000);
  });
});
