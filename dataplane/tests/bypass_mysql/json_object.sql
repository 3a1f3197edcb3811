-- trick: keys and values of a JSON object
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select json_object('card', pan, pan, 1) from cards
