-- trick: pairs in a text
-- expect: masked
-- unlabelled: masked
-- decode: digits

select '"pan"=>"' || pan || '", "holder"=>"' || holder || '"' from cards
