(* Which languages can nonnegative gates recognise at finite precision?  Only noncounting ones, at any depth and any
   width.

   Sarrof, Veitsman, Hahn 2024, Theorem 2 (no PARITY) and the half of Theorem 4 that limits (what is regular is
   star-free).

   All that a nonnegative gate has to do with it is this: h -> round(a h + b) with a >= 0 keeps the order of numbers,
   if rounding does. So a layer is, here, one order-preserving map of the integers for each coordinate and each input:
   more general than an SSM. "Finite precision" is: every coordinate stays between two bounds. (A finite chain of
   numbers is an interval of integers, up to their names: integers in units of 2^-p, or the ranks of all floats of a
   format.)  What the next layer sees is any function at all of the layer's state and input. *)
Require Import ZArith List Bool Lia.
Import ListNotations.
Open Scope Z_scope.

(* -- the model --------------------------------------------------------------------------------------------------- *)

Section Models.
Variables Symbol Feature Output : Type.                        (* any sets *)

Record layer := Layer {
  maps : Feature -> list (Z -> Z);          (* what an input does to coordinate 0, 1, ...: they do not see each other *)
  phi : list Z -> Feature -> Feature }.                        (* what the next layer reads *)

Definition pointwise (fs : list (Z -> Z)) (h : list Z) : list Z := map (fun fv => fst fv (snd fv)) (combine fs h).
Definition update (l : layer) (h : list Z) (x : Feature) : list Z := pointwise (maps l x) h.

(* one symbol through all layers: the new states, and the last layer's features *)
Fixpoint through (ls : list layer) (hs : list (list Z)) (x : Feature) : list (list Z) * Feature :=
  match ls, hs with
  | l :: ls, h :: hs => let h' := update l h x in
                        let (rest, z) := through ls hs (phi l h' x) in (h' :: rest, z)
  | _, _ => ([], x)
  end.

Record model := Model {
  embedding : Symbol -> Feature;
  layers : list layer;
  start : list (list Z) * Feature;                         (* before the first symbol (after BOS, where there is one) *)
  readout : Feature -> Output }.

Definition step (m : model) (s : list (list Z) * Feature) (a : Symbol) := through (layers m) (fst s) (embedding m a).
Definition output (m : model) (w : list Symbol) : Output := readout m (snd (fold_left (step m) w (start m))).

(* -- the hypotheses ------------------------------------------------------------------------------------------------ *)

Definition monotone (f : Z -> Z) := forall v w, v <= w -> f v <= f w.
Definition within (low high v : Z) := low <= v <= high.
Definition keeps (low high : Z) (f : Z -> Z) := forall v, within low high v -> within low high (f v).

Definition nonnegative (m : model) := Forall (fun l => forall x, Forall monotone (maps l x)) (layers m).
Definition bounded (m : model) (low high : Z) :=
  Forall (fun l => forall x, Forall (keeps low high) (maps l x)) (layers m)
    /\ Forall (Forall (within low high)) (fst (start m)).

(* -- the conclusion ------------------------------------------------------------------------------------------------ *)

Fixpoint power {A} (w : list A) (n : nat) : list A := match n with O => [] | S n => w ++ power w n end.

(* Noncounting, also called aperiodic: no language of this kind counts how often a factor is repeated. A regular
   language is noncounting exactly when it is star-free (Schuetzenberger 1965; McNaughton and Papert 1971). *)
Definition noncounting (L : list Symbol -> Prop) :=
  exists N : nat, forall u w v n, (N <= n)%nat -> (L (u ++ power w n ++ v) <-> L (u ++ power w (S n) ++ v)).

(* -- one coordinate: a monotone map on an interval is at rest after as many steps as the interval is long ---------- *)

Lemma climbs f v n : monotone f -> v <= f v -> f (Nat.iter n f v) = Nat.iter n f v \/ v + Z.of_nat n <= Nat.iter n f v.
Proof.
  intros M up.
  assert (next : forall n, Nat.iter n f v <= f (Nat.iter n f v))
    by (induction n0; simpl; [exact up|apply M; exact IHn0]).
  induction n as [|n IH]; [right; simpl; lia|].
  destruct IH as [IH|IH]; [left; simpl; congruence|]. specialize (next n).
  destruct (Z.eq_dec (f (Nat.iter n f v)) (Nat.iter n f v)) as [E|E];
    [left; simpl; congruence|right; simpl Nat.iter; lia].
Qed.
Lemma falls f v n : monotone f -> f v <= v -> f (Nat.iter n f v) = Nat.iter n f v \/ Nat.iter n f v <= v - Z.of_nat n.
Proof.
  intros M down.
  assert (next : forall n, f (Nat.iter n f v) <= Nat.iter n f v)
    by (induction n0; simpl; [exact down|apply M; exact IHn0]).
  induction n as [|n IH]; [right; simpl; lia|].
  destruct IH as [IH|IH]; [left; simpl; congruence|]. specialize (next n).
  destruct (Z.eq_dec (f (Nat.iter n f v)) (Nat.iter n f v)) as [E|E];
    [left; simpl; congruence|right; simpl Nat.iter; lia].
Qed.

Lemma at_rest f low high v n : monotone f -> keeps low high f -> within low high v ->
  (Z.to_nat (high - low) <= n)%nat ->
  f (Nat.iter n f v) = Nat.iter n f v.
Proof.
  intros M K I L.
  assert (In : forall n, within low high (Nat.iter n f v)) by (induction n0; simpl; auto).
  specialize (In (S n)). simpl in In. unfold within in *.
  assert (I' : low <= Nat.iter n f v <= high) by (clear -I K; induction n; simpl; [exact I|apply K; exact IHn]).
  destruct (Z.le_gt_cases v (f v)) as [up|down].
  - destruct (climbs f v n M up); [assumption|].
    assert (Nat.iter n f v <= f (Nat.iter n f v)) by (clear -M up; induction n; simpl; [exact up|apply M; exact IHn]).
      lia.
  - destruct (falls f v n M); [lia|assumption|].
    assert (f (Nat.iter n f v) <= Nat.iter n f v) by (clear -M down; induction n; simpl; [lia|apply M; exact IHn]). lia.
Qed.

(* -- one layer: a word of inputs is one monotone map of each coordinate -------------------------------------------- *)

(* first fs, then gs *)
Definition compose (fs gs : list (Z -> Z)) : list (Z -> Z) := map (fun fg v => snd fg (fst fg v)) (combine fs gs).
Lemma pointwise_compose : forall fs gs h, pointwise gs (pointwise fs h) = pointwise (compose fs gs) h.
Proof. unfold pointwise, compose; induction fs as [|f fs IH]; intros [|g gs] [|v h]; simpl; auto. rewrite <- IH.
  reflexivity. Qed.
Lemma compose_monotone : forall fs gs, Forall monotone fs -> Forall monotone gs -> Forall monotone (compose fs gs).
Proof.
  unfold compose; induction fs as [|f fs IH]; intros [|g gs] F G; simpl; constructor; inversion F; inversion G; subst;
    auto.
  intros v w H; simpl; auto.
Qed.
Lemma compose_keeps low high : forall fs gs, Forall (keeps low high) fs -> Forall (keeps low high) gs ->
  Forall (keeps low high) (compose fs gs).
Proof.
  unfold compose; induction fs as [|f fs IH]; intros [|g gs] F G; simpl; constructor; inversion F; inversion G; subst;
    auto.
  intros v H; simpl; auto.
Qed.
Lemma pointwise_within low high : forall fs h, Forall (keeps low high) fs -> Forall (within low high) h ->
  Forall (within low high) (pointwise fs h).
Proof.
  unfold pointwise; induction fs as [|f fs IH]; intros [|v h] F G; simpl; constructor; inversion F; inversion G; subst;
    simpl; auto.
Qed.

Lemma iter_pointwise fs h n : (length h <= length fs)%nat ->
  Nat.iter n (pointwise fs) h = map (fun fv => Nat.iter n (fst fv) (snd fv)) (combine fs h).
Proof.
  induction n as [|n IH]; intro E; simpl; [|rewrite IH by exact E; unfold pointwise; clear IH];
    revert h E; induction fs as [|f fs IHf]; intros [|v h] E; simpl in *; try lia; auto; f_equal; try reflexivity;
      apply IHf; lia.
Qed.
Lemma pointwise_at_rest low high fs h n : Forall monotone fs -> Forall (keeps low high) fs ->
  Forall (within low high) h ->
  (length h <= length fs)%nat -> (Z.to_nat (high - low) <= n)%nat ->
  pointwise fs (Nat.iter n (pointwise fs) h) = Nat.iter n (pointwise fs) h.
Proof.
  intros M K I E L. rewrite iter_pointwise by exact E. unfold pointwise.
  revert h I E; induction fs as [|f fs IHf]; intros [|v h] I E; simpl in *; auto.
  inversion M; inversion K; inversion I; subst. f_equal; [eapply at_rest; eassumption|apply IHf; auto; lia].
Qed.
Lemma pointwise_length fs h : (length (pointwise fs h) <= length fs)%nat.
Proof. unfold pointwise. rewrite map_length, combine_length. lia. Qed.

(* -- one layer reads block after block: where the blocks become all the same, so does the state -------------------- *)

(* what a layer gives out while it reads inputs, and where it ends *)
Fixpoint emits (l : layer) (h : list Z) (xs : list Feature) : list Feature :=
  match xs with [] => [] | x :: xs => phi l (update l h x) x :: emits l (update l h x) xs end.
Definition after (l : layer) (h : list Z) (xs : list Feature) : list Z := fold_left (update l) xs h.
Fixpoint state (l : layer) (h : list Z) (block : nat -> list Feature) (n : nat) : list Z :=
  match n with O => h | S n => after l (state l h block n) (block n) end.

(* A word of inputs does to the state what one list of monotone maps does. *)
Lemma after_pointwise low high l : (forall x, Forall monotone (maps l x)) ->
  (forall x, Forall (keeps low high) (maps l x)) ->
  forall xs, xs <> [] -> exists fs, Forall monotone fs /\ Forall (keeps low high) fs /\ forall h,
    after l h xs = pointwise fs h.
Proof.
  intros M K. induction xs as [|x xs IH]; [congruence|]. intros _.
  destruct xs as [|y xs]; [exists (maps l x); auto|].
  destruct IH as (fs & Mf & Kf & E); [discriminate|].
  exists (compose (maps l x) fs). split; [apply compose_monotone; auto|]. split; [apply compose_keeps; auto|].
  intro h. rewrite <- pointwise_compose. exact (E (update l h x)).
Qed.
Lemma state_within low high l h block : (forall x, Forall (keeps low high) (maps l x)) -> Forall (within low high) h ->
  forall n, Forall (within low high) (state l h block n).
Proof.
  intros K I. assert (A : forall xs h, Forall (within low high) h -> Forall (within low high) (after l h xs)).
  { induction xs as [|x xs IH]; intros h0 I0; [exact I0|]. apply IH. apply pointwise_within; auto. }
  induction n; simpl; auto.
Qed.

Definition constant_from {A} (k : nat) (f : nat -> A) := forall n, (k <= n)%nat -> f n = f k.
Definition size (low high : Z) : nat := S (Z.to_nat (high - low)).              (* how many numbers there are *)

Lemma state_constant low high l h block k :
  (forall x, Forall monotone (maps l x)) -> (forall x, Forall (keeps low high) (maps l x)) ->
    Forall (within low high) h ->
  constant_from k block -> constant_from (k + size low high) (state l h block).
Proof.
  intros M K I C. destruct (block k) as [|x xs] eqn:B.
  - (* the empty block changes nothing *)
    assert (E : forall n, state l h block (k + n) = state l h block k).
    { induction n; [rewrite Nat.add_0_r; reflexivity|]. rewrite Nat.add_succ_r. simpl. rewrite C by lia. rewrite B.
      exact IHn. }
    intros n N. replace n with (k + (n - k))%nat by lia. rewrite !E. reflexivity.
  - destruct (after_pointwise low high l M K (x :: xs)) as (fs & Mf & Kf & F); [discriminate|].
    assert (E : forall n, state l h block (S k + n) = Nat.iter n (pointwise fs) (state l h block (S k))).
    { induction n; [rewrite Nat.add_0_r; reflexivity|]. rewrite Nat.add_succ_r.
      change (after l (state l h block (S k + n)) (block (S k + n)%nat)
        = pointwise fs (Nat.iter n (pointwise fs) (state l h block (S k)))).
      rewrite (C (S k + n)%nat) by lia. rewrite B, F, IHn. reflexivity. }
    assert (R : forall n, (Z.to_nat (high - low) <= n)%nat -> state l h block (S k + S n) = state l h block (S k + n)).
    { intros n N. rewrite !E. apply (pointwise_at_rest low high); auto.
      - apply state_within; assumption.
      - cbn [state]. rewrite B, F. apply pointwise_length. }
    intros n N. unfold size in *. induction N as [|n N IH]; [reflexivity|]. rewrite <- IH.
    specialize (R (n - S k)%nat ltac:(lia)). replace (S n) with (S k + S (n - S k))%nat by lia. rewrite R. f_equal. lia.
Qed.

(* -- all layers ---------------------------------------------------------------------------------------------------- *)

Fixpoint emits_all (ls : list layer) (hs : list (list Z)) (xs : list Feature) : list Feature :=
  match ls, hs with l :: ls, h :: hs => emits_all ls hs (emits l h xs) | _, _ => xs end.
Fixpoint after_all (ls : list layer) (hs : list (list Z)) (xs : list Feature) : list (list Z) :=
  match ls, hs with l :: ls, h :: hs => after l h xs :: after_all ls hs (emits l h xs) | _, _ => [] end.
Fixpoint states (ls : list layer) (hs : list (list Z)) (block : nat -> list Feature) (n : nat) : list (list Z) :=
  match n with O => hs | S n => after_all ls (states ls hs block n) (block n) end.

Lemma states_cons l ls h hs block n :
  states (l :: ls) (h :: hs) block n
    = state l h block n :: states ls hs (fun n => emits l (state l h block n) (block n)) n.
Proof. induction n as [|n IH]; [reflexivity|]. simpl states at 1. rewrite IH. reflexivity. Qed.

(* Once the blocks are all the same, a layer costs as many blocks as there are numbers; the next layer then reads
   blocks that are all the same. *)
Lemma all_constant low high : forall ls hs block next k,
  Forall (fun l => forall x, Forall monotone (maps l x)) ls ->
    Forall (fun l => forall x, Forall (keeps low high) (maps l x)) ls ->
  Forall (Forall (within low high)) hs -> constant_from k block -> constant_from k next ->
  constant_from (k + length ls * size low high) (fun n => emits_all ls (states ls hs block n) (next n)).
Proof.
  induction ls as [|l ls IH]; intros [|h hs] block next k M K I B Y.
  - intros n N. simpl in *. rewrite Nat.add_0_r in *. auto.
  - intros n N. simpl in *. rewrite Nat.add_0_r in *. auto.
  - intros n N. assert (E : forall n, states (l :: ls) [] block n = [])
      by (induction n0; simpl; [|rewrite IHn0]; reflexivity).
    rewrite !E. simpl. transitivity (next k); [|symmetry]; apply Y; lia.
  - inversion M; inversion K; inversion I; subst.
    assert (S : constant_from (k + size low high) (state l h block)) by (apply state_constant; assumption).
    assert (later : forall Z, constant_from k Z ->
      constant_from (k + size low high) (fun n => emits l (state l h block n) (Z n))).
    { intros Z C n N. rewrite (S n N). rewrite (C n) by lia. rewrite (C (k + size low high)%nat) by lia. reflexivity. }
    intros n N. rewrite !states_cons. cbn [emits_all length] in *.
    specialize (IH hs (fun n => emits l (state l h block n) (block n)) (fun n => emits l (state l h block n) (next n))
      (k + size low high)%nat ltac:(assumption) ltac:(assumption) ltac:(assumption) (later _ B) (later _ Y)).
    replace (k + Datatypes.S (length ls) * size low high)%nat
      with (k + size low high + length ls * size low high)%nat in * by lia.
    exact (IH n N).
Qed.

Lemma after_all_within low high : forall ls hs xs, Forall (fun l => forall x, Forall (keeps low high) (maps l x)) ls ->
  Forall (Forall (within low high)) hs -> Forall (Forall (within low high)) (after_all ls hs xs).
Proof.
  induction ls as [|l ls IH]; intros [|h hs] xs K I; simpl; constructor; inversion K; inversion I; subst.
  - apply (state_within low high l h (fun _ => xs)) with (n := 1%nat); assumption.
  - apply IH; assumption.
Qed.

(* -- a model's output is read off the last features ---------------------------------------------------------------- *)

Lemma emits_app l : forall xs ys h, emits l h (xs ++ ys) = emits l h xs ++ emits l (after l h xs) ys.
Proof. induction xs as [|x xs IH]; intros ys h; simpl; [reflexivity|]. rewrite IH. reflexivity. Qed.
Lemma emits_all_app ls : forall hs xs ys,
  emits_all ls hs (xs ++ ys) = emits_all ls hs xs ++ emits_all ls (after_all ls hs xs) ys.
Proof. induction ls as [|l ls IH]; intros [|h hs] xs ys; simpl; try reflexivity. rewrite emits_app. apply IH. Qed.
Lemma after_all_app ls : forall hs xs ys, after_all ls hs (xs ++ ys) = after_all ls (after_all ls hs xs) ys.
Proof.
  induction ls as [|l ls IH]; intros [|h hs] xs ys; simpl; try reflexivity.
  rewrite emits_app, IH. unfold after. rewrite fold_left_app. reflexivity.
Qed.
Lemma emits_all_length ls : forall hs xs, length (emits_all ls hs xs) = length xs.
Proof.
  induction ls as [|l ls IH]; intros [|h hs] xs; simpl; try reflexivity. rewrite IH.
  revert h; induction xs as [|x xs IHx]; intro h; simpl; auto.
Qed.
Lemma through_is ls : forall hs x, exists z, emits_all ls hs [x] = [z] /\ through ls hs x = (after_all ls hs [x], z).
Proof.
  induction ls as [|l ls IH]; intros [|h hs] x; simpl; eauto.
  destruct (IH hs (phi l (update l h x) x)) as (z & E & T). exists z. rewrite T. auto.
Qed.
Lemma last_default {A} (xs : list A) d e : xs <> [] -> last xs d = last xs e.
Proof. induction xs as [|x [|y xs] IH]; intros N; [congruence|reflexivity|]. apply IH. discriminate. Qed.
Lemma last_app {A} (xs ys : list A) d : ys <> [] -> last (xs ++ ys) d = last ys d.
Proof.
  intro N. induction xs as [|x xs IH]; [reflexivity|]. simpl. rewrite <- IH. destruct (xs ++ ys) eqn:E; [|reflexivity].
  apply app_eq_nil in E as [_ E]. contradiction.
Qed.
Lemma output_is m w : output m w
  = readout m (last (emits_all (layers m) (fst (start m)) (map (embedding m) w)) (snd (start m))).
Proof.
  unfold output. f_equal. destruct (start m) as [hs z]. simpl fst; simpl snd. revert hs z.
  induction w as [|a w IH]; intros hs z.
  - simpl. assert (E : emits_all (layers m) hs [] = []) by (apply length_zero_iff_nil, emits_all_length). rewrite E.
      reflexivity.
  - simpl fold_left. unfold step at 2. simpl fst. destruct (through_is (layers m) hs (embedding m a)) as (y & E & T).
      rewrite T, IH.
    simpl map. change (embedding m a :: map (embedding m) w) with ([embedding m a] ++ map (embedding m) w).
    rewrite emits_all_app, E. simpl app. destruct (emits_all _ _ (map _ w)) as [|v vs] eqn:F; [reflexivity|].
    rewrite (last_default (v :: vs) y z) by discriminate. symmetry. apply (last_app [y] (v :: vs)). discriminate.
Qed.

Lemma power_snoc {A} (w : list A) n : power w (S n) = power w n ++ w.
Proof. induction n as [|n IH]; simpl in *; [rewrite app_nil_r; reflexivity|]. rewrite IH at 1. rewrite app_assoc.
  reflexivity. Qed.

(* If the features on v and on w, read after u w^n, are the same for all n >= k, then so is the output after u w^n v
   for all n > k. *)
Lemma settled_output m u w v k :
  (forall y, y = v \/ y = w -> constant_from k (fun n => emits_all (layers m)
     (states (layers m) (after_all (layers m) (fst (start m)) (map (embedding m) u)) (fun _ => map (embedding m) w) n)
       (map (embedding m) y))) ->
  forall n, (S k <= n)%nat -> output m (u ++ power w (S n) ++ v) = output m (u ++ power w n ++ v).
Proof.
  set (ls := layers m) in *. set (hs := fst (start m)) in *. set (e := map (embedding m)). intros C n N.
  assert (R : forall n, states ls (after_all ls hs (e u)) (fun _ => e w) n = after_all ls hs (e (u ++ power w n))).
  { clear. unfold e. induction n as [|n IH]; [simpl; rewrite app_nil_r; reflexivity|].
    rewrite power_snoc, app_assoc, map_app, after_all_app. simpl. rewrite IH. reflexivity. }
  assert (D : forall y n, y = v \/ y = w -> y <> [] -> (k <= n)%nat ->
    output m (u ++ power w (S n) ++ y) = output m (u ++ power w n ++ y)).
  { clear n N. intros y n Y V N. specialize (C y Y). rewrite !output_is. fold ls hs e. f_equal.
    rewrite !(app_assoc u). unfold e. rewrite !(map_app _ _ y), !emits_all_app. fold e.
    rewrite !last_app by (intro X; apply (f_equal (@length _)) in X; unfold e in X; rewrite emits_all_length,
      map_length in X;
                          destruct y; [contradiction|discriminate]).
    rewrite <- !R. assert (A := C (S n) ltac:(lia)). assert (B := C n N). cbn beta in A, B. fold e in A, B.
      rewrite A, B. reflexivity. }
  destruct v as [|a v]; [|apply D; [auto|discriminate|lia]].
  destruct w as [|a w]; [f_equal; clear; induction n; simpl in *; auto|].
  destruct n as [|n]; [lia|]. rewrite !app_nil_r. rewrite (power_snoc (a :: w) (S n)).
    rewrite (power_snoc (a :: w) n) at 2.
  apply D; [auto|discriminate|lia].
Qed.

(* After u w^n the output on every continuation v is the same for all n from a bound on that the model alone decides. *)
Theorem repetition_is_forgotten (m : model) low high : nonnegative m -> bounded m low high ->
  forall u w v n, (S (length (layers m) * size low high) <= n)%nat ->
  output m (u ++ power w (S n) ++ v) = output m (u ++ power w n ++ v).
Proof.
  intros M [K I] u w v n N. apply (settled_output m u w v (length (layers m) * size low high)); [|exact N].
  intros y _. apply (all_constant low high) with (k := 0%nat); try assumption; try (intros ? ?; reflexivity).
  apply after_all_within; assumption.
Qed.
End Models.

(* -- the theorem --------------------------------------------------------------------------------------------------- *)

Arguments output {Symbol Feature Output}.
Arguments layers {Symbol Feature Output}.
Arguments nonnegative {Symbol Feature Output}.
Arguments bounded {Symbol Feature Output}.
Arguments noncounting {Symbol}.

(* A model that answers yes or no recognises a language; one with several outputs does so by any test on them (say: is
   EOS legal here?). *)
Definition recognises {Symbol Feature Output} (m : model Symbol Feature Output) (test : Output ->
  bool) (L : list Symbol -> Prop) :=
  forall w, L w <-> test (output m w) = true.

Theorem nonnegative_recognises_only_noncounting : forall Symbol Feature Output (m : model Symbol Feature Output) test L
  low high,
  nonnegative m -> bounded m low high -> recognises m test L -> noncounting L.
Proof.
  intros S F O m test L low high M B R. exists (Datatypes.S (length (layers m) * size low high)).
  intros u w v n N. assert (E := repetition_is_forgotten _ _ _ m low high M B u w v n N).
  split; intro H; apply R; apply R in H; congruence.
Qed.
Print Assumptions repetition_is_forgotten.
Print Assumptions nonnegative_recognises_only_noncounting.
