-- trick: a literal in another encoding
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select concat(_utf16 x'0020', pan) from cards
