-- trick: COPY in another encoding
-- expect: denied
-- unlabelled: denied
-- decode: digits

copy (select pan from cards) to stdout (encoding 'SJIS')

copy (select translate(pan, '0123456789', '０１２３４５６７８９') from cards) to stdout (encoding 'UTF8')
