-- trick: an aggregate of xml
-- expect: masked
-- unlabelled: masked
-- decode: digits

select xmlagg(xmlelement(name c, pan)) from cards
