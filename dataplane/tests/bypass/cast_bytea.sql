-- trick: the bytes of a text
-- expect: masked
-- unlabelled: masked
-- decode: hex digits

select pan::bytea from cards
