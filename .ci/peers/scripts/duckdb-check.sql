SET threads = 2;
ATTACH '{{.Dir}}/duck.db' AS shop (READ_ONLY);
{{if .Keep}}ATTACH '{{.Out}}.db' AS book;
{{end}}CREATE TEMP TABLE line AS
  SELECT row_number() OVER () AS n, * FROM read_csv('{{.Upload}}', delim = ',', quote = '"', escape = '"',
    header = true, auto_detect = false, nullstr = '\N', columns = { {{.Columns}} });
CREATE TEMP TABLE answer AS
WITH head AS (
  SELECT h.MerchantRemovalOrderID AS id, h.RemovalDisposition AS method, CASE
    WHEN h.RemovalDisposition = 'Disposal' THEN ''
    WHEN h.RemovalDisposition <> 'Return' THEN 'method'
    WHEN h.AddressName = '' OR h.AddressFieldOne = '' OR h.AddressCity = '' OR h.AddressPostalCode = '' THEN 'address'
    WHEN h.AddressCountryCode NOT IN ('US', 'DE', 'IT') THEN 'country'
    WHEN h.AddressCountryCode = 'US' AND NOT regexp_full_match(h.AddressStateOrRegion, '[A-Z]{2}') THEN 'state'
    WHEN NOT regexp_full_match(h.AddressPostalCode, '[0-9]{5}') THEN 'postal'
    ELSE '' END AS wrong
  FROM (SELECT MerchantRemovalOrderID AS id, min(n) AS n FROM line GROUP BY ALL) AS first JOIN line AS h ON h.n = first.n),
twice AS (
  SELECT MerchantRemovalOrderID AS id, MerchantSKU AS sku, min(n) AS n FROM line GROUP BY ALL HAVING count(*) > 1),
asked AS (
  SELECT line.n, line.MerchantRemovalOrderID AS id, line.MerchantSKU AS sku, method, wrong, fnsku, stock.sellable, stock.unsellable,
    regexp_full_match(SellableQuantity, '[0-9]{0,6}') AND regexp_full_match(UnsellableQuantity, '[0-9]{0,6}') AS whole,
    coalesce(TRY_CAST(SellableQuantity AS INTEGER), 0) AS s, coalesce(TRY_CAST(UnsellableQuantity AS INTEGER), 0) AS u, twice.n AS first
  FROM line
  LEFT JOIN head ON head.id = line.MerchantRemovalOrderID
  LEFT JOIN shop.stock AS stock ON stock.sku = line.MerchantSKU
  LEFT JOIN twice ON twice.id = line.MerchantRemovalOrderID AND twice.sku = line.MerchantSKU)
SELECT n, id, sku, fnsku, method, s, u, CASE
  WHEN wrong <> '' THEN wrong
  WHEN sku = '' THEN 'no sku'
  WHEN sellable IS NULL THEN 'unknown'
  WHEN NOT whole THEN 'quantity'
  WHEN s + u = 0 THEN 'nothing'
  WHEN s > sellable OR u > unsellable THEN 'stock'
  WHEN n > first THEN 'twice'
  ELSE '' END AS code
FROM asked;
COPY (SELECT n, id, sku, fnsku, method, s, u FROM answer WHERE code = '' ORDER BY n) TO '{{.Out}}-result.csv' (HEADER);
COPY (SELECT n, id, sku, code FROM answer WHERE code <> '' ORDER BY n) TO '{{.Out}}-errors.csv' (HEADER);
{{if .Keep}}CREATE TABLE book.lines AS SELECT n, id, sku, s, u FROM answer WHERE code = '';
CREATE TABLE book.taken AS SELECT sku, sum(s) AS s, sum(u) AS u FROM answer WHERE code = '' GROUP BY sku;
CHECKPOINT book;
{{end}}SELECT count(*) FILTER (code = ''), count(*) FILTER (code <> '') FROM answer;
