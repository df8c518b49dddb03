//! Facts about countries, animals and things.

/// `country=capital`.
pub(in crate::suite) const CAPITALS: &str = "\
    France=Paris, Germany=Berlin, Italy=Rome, Spain=Madrid, Portugal=Lisbon, Greece=Athens,
    Austria=Vienna, Hungary=Budapest, Poland=Warsaw, Norway=Oslo, Sweden=Stockholm,
    Finland=Helsinki, Denmark=Copenhagen, Ireland=Dublin, Belgium=Brussels, Russia=Moscow,
    Ukraine=Kyiv, Romania=Bucharest, Bulgaria=Sofia, Serbia=Belgrade, Croatia=Zagreb,
    Iceland=Reykjavik, Japan=Tokyo, China=Beijing, Thailand=Bangkok, Vietnam=Hanoi,
    Indonesia=Jakarta, Iran=Tehran, Iraq=Baghdad, Turkey=Ankara, Egypt=Cairo, Kenya=Nairobi,
    Morocco=Rabat, Tunisia=Tunis, Ghana=Accra, Nigeria=Abuja, Senegal=Dakar, Canada=Ottawa,
    Cuba=Havana, Peru=Lima, Chile=Santiago, Colombia=Bogota, Venezuela=Caracas, Uruguay=Montevideo,
    Ecuador=Quito, Australia=Canberra, Lebanon=Beirut, Syria=Damascus, Jordan=Amman, Latvia=Riga,
    Estonia=Tallinn, Lithuania=Vilnius, Cyprus=Nicosia, Slovakia=Bratislava";

/// `country=adjective`.
pub(in crate::suite) const NATIONALITIES: &str = "\
    France=French, Germany=German, Italy=Italian, Spain=Spanish, Portugal=Portuguese, Greece=Greek,
    Austria=Austrian, Hungary=Hungarian, Poland=Polish, Norway=Norwegian, Sweden=Swedish,
    Finland=Finnish, Denmark=Danish, Ireland=Irish, Belgium=Belgian, Russia=Russian,
    Ukraine=Ukrainian, Romania=Romanian, Bulgaria=Bulgarian, Croatia=Croatian, Iceland=Icelandic,
    Japan=Japanese, China=Chinese, Thailand=Thai, Vietnam=Vietnamese, Indonesia=Indonesian,
    Iran=Iranian, Iraq=Iraqi, Turkey=Turkish, Egypt=Egyptian, Kenya=Kenyan, Morocco=Moroccan,
    Tunisia=Tunisian, Nigeria=Nigerian, Canada=Canadian, Cuba=Cuban, Peru=Peruvian, Chile=Chilean,
    Colombia=Colombian, Brazil=Brazilian, Mexico=Mexican, Argentina=Argentinian,
    Australia=Australian, India=Indian, Scotland=Scottish, Wales=Welsh, England=English,
    Israel=Israeli, Switzerland=Swiss, America=American";

/// `country=continent`.
pub(in crate::suite) const CONTINENTS: &str = "\
    France=Europe, Germany=Europe, Italy=Europe, Spain=Europe, Norway=Europe, Poland=Europe,
    Greece=Europe, Ireland=Europe, Sweden=Europe, Austria=Europe, Hungary=Europe, Portugal=Europe,
    Japan=Asia, China=Asia, India=Asia, Thailand=Asia, Vietnam=Asia, Nepal=Asia, Mongolia=Asia,
    Pakistan=Asia, Cambodia=Asia, Malaysia=Asia, Iran=Asia, Iraq=Asia, Kenya=Africa, Nigeria=Africa,
    Ghana=Africa, Morocco=Africa, Algeria=Africa, Ethiopia=Africa, Uganda=Africa, Zambia=Africa,
    Angola=Africa, Senegal=Africa, Tunisia=Africa, Mali=Africa, Brazil=South America,
    Peru=South America, Chile=South America, Argentina=South America, Bolivia=South America,
    Ecuador=South America, Uruguay=South America, Paraguay=South America, Colombia=South America,
    Venezuela=South America, Canada=North America, Mexico=North America, Cuba=North America,
    Guatemala=North America, Honduras=North America, Nicaragua=North America, Jamaica=North America,
    Haiti=North America";

/// `animal=its young`.
pub(in crate::suite) const YOUNG: &str = "\
    dog=puppy, cat=kitten, cow=calf, horse=foal, sheep=lamb, goat=kid, pig=piglet, hen=chick,
    duck=duckling, goose=gosling, swan=cygnet, lion=cub, bear=cub, tiger=cub, wolf=cub, leopard=cub,
    fox=cub, kangaroo=joey, koala=joey, wallaby=joey, frog=tadpole, toad=tadpole,
    butterfly=caterpillar, moth=caterpillar, deer=fawn, antelope=calf, elephant=calf, whale=calf,
    dolphin=calf, giraffe=calf, hippopotamus=calf, buffalo=calf, rhinoceros=calf, camel=calf,
    donkey=foal, zebra=foal, eagle=eaglet, owl=owlet, seal=pup, otter=pup, bat=pup, shark=pup,
    hare=leveret, rabbit=kit, turkey=poult, salmon=fry, fly=maggot, human=baby, chicken=chick,
    penguin=chick, boar=piglet, spider=spiderling";

/// `content=container`.
pub(in crate::suite) const CONTAINERS: &str = "\
    wine=bottle, jam=jar, tea=teapot, flowers=vase, money=wallet, coins=purse, books=bookcase,
    clothes=wardrobe, letters=envelope, rubbish=bin, milk=carton, soup=bowl, coffee=mug,
    fish=aquarium, birds=cage, water=bucket, petrol=tank, toothpaste=tube, arrows=quiver,
    sword=scabbard, pistol=holster, eggs=egg box, sugar=sugar bowl, salt=salt cellar,
    pepper=pepper mill, ink=inkwell, beer=barrel, paintings=gallery, bees=hive, bread=bread bin,
    potatoes=sack, cigarettes=packet, perfume=flacon, pencils=pencil case, tools=toolbox,
    jewels=jewel case, spectacles=spectacle case, ashes=urn, butter=butter dish, toys=toy box,
    cars=garage, aeroplanes=hangar, grain=silo, prisoners=prison, school books=satchel,
    travel clothes=suitcase, hay=barn, sardines=tin";

/// `thing=material`.
pub(in crate::suite) const MATERIALS: &str = "\
    window=glass, bottle=glass, mirror=glass, lens=glass, jar=glass, table=wood, door=wood,
    pencil=wood, violin=wood, chair=wood, log=wood, broomstick=wood, tyre=rubber, eraser=rubber,
    wellington boot=rubber, balloon=rubber, newspaper=paper, envelope=paper, book=paper, map=paper,
    ticket=paper, shoe=leather, saddle=leather, wallet=leather, belt=leather, jumper=wool,
    blanket=wool, mitten=wool, shirt=cotton, towel=cotton, sheet=cotton, sock=cotton, knife=steel,
    nail=steel, sword=steel, bridge cable=steel, saw=steel, brick=clay, flowerpot=clay,
    roof tile=clay, candle=wax, crayon=wax, carton=cardboard, parcel box=cardboard,
    puzzle piece=cardboard, statue=stone, castle=stone, tombstone=stone, toy block=plastic,
    bucket=plastic, toothbrush=plastic, carrier bag=plastic";

/// `profession=workplace`.
pub(in crate::suite) const WORKPLACES: &str = "\
    teacher=school, doctor=hospital, nurse=hospital, surgeon=hospital, baker=bakery,
    chef=restaurant, waiter=restaurant, judge=court, lawyer=court, farmer=farm, librarian=library,
    actor=theatre, pilot=cockpit, sailor=ship, captain=ship, miner=mine, monk=monastery,
    nun=convent, priest=church, professor=university, lecturer=university, scientist=laboratory,
    chemist=laboratory, mechanic=garage, banker=bank, cashier=shop, shop assistant=shop,
    butcher=butcher's shop, hairdresser=salon, barber=salon, gardener=garden, zookeeper=zoo,
    lifeguard=beach, soldier=barracks, astronaut=space station, clown=circus, acrobat=circus,
    firefighter=fire station, policeman=police station, worker=factory, curator=museum,
    brewer=brewery, jailer=prison, receptionist=hotel, porter=hotel, bartender=bar, vicar=church,
    blacksmith=forge, potter=pottery, ballerina=theatre";

/// `chemical element=symbol`.
pub(in crate::suite) const ELEMENTS: &str = "\
    hydrogen=H, helium=He, lithium=Li, beryllium=Be, boron=B, carbon=C, nitrogen=N, oxygen=O,
    fluorine=F, neon=Ne, sodium=Na, magnesium=Mg, aluminium=Al, silicon=Si, phosphorus=P, sulphur=S,
    chlorine=Cl, argon=Ar, potassium=K, calcium=Ca, titanium=Ti, chromium=Cr, manganese=Mn, iron=Fe,
    cobalt=Co, nickel=Ni, copper=Cu, zinc=Zn, gallium=Ga, arsenic=As, selenium=Se, bromine=Br,
    krypton=Kr, strontium=Sr, zirconium=Zr, silver=Ag, cadmium=Cd, tin=Sn, iodine=I, xenon=Xe,
    caesium=Cs, tungsten=W, platinum=Pt, gold=Au, mercury=Hg, lead=Pb, bismuth=Bi, radium=Ra,
    uranium=U";
