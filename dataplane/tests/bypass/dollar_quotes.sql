-- trick: dollar quotes, nested comments
-- expect: masked
-- unlabelled: masked
-- decode: digits

select $a$$b$/*$a$ || pan /* /* from nowhere */ -- ' */ from cards -- ; drop
