-- trick: xml elements and comments
-- expect: masked
-- unlabelled: masked
-- decode: digits

select xmlelement(name card, pan), xmlcomment(pan), xmlforest(pan, pan_number) from cards
