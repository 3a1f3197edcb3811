-- trick: all of them in a JSON array
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select json_arrayagg(pan) from cards
