-- trick: bytea in escape format
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits hex

set bytea_output = escape

select pan::bytea from cards
