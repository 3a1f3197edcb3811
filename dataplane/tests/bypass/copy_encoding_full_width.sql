-- trick: full-width digits by COPY in Shift-JIS
-- expect: denied
-- unlabelled: denied
-- decode: sjis

copy (select translate(pan, '0123456789', '０１２３４５６７８９') from cards) to stdout (encoding 'SJIS')
