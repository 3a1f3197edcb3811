-- trick: full-width digits
-- expect: masked
-- unlabelled: masked
-- decode: digits

select translate(pan, '0123456789', '０１２３４５６７８９') from cards
